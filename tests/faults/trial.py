"""One trial: replicas on a database and a storage, a crowd of clients, faults at random, and the account."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manimcast.webhooks import new_secret
from tests import postgres
from tests.buckets import nanio
from tests.buckets.servers import BucketServer
from tests.faults import receiver, replicas
from tests.faults.account import Account, Entry, account_for, listed, whole
from tests.faults.crowd import Asked, News, follow, wishes
from tests.faults.replicas import Replica, Replicas
from tests.patience import until

REPLICAS = 3
AT_ONCE = 32
"""Clients at once; as each one's render ends, the next one comes."""
PER_RENDER = 30.0
"""Seconds that a render may take altogether, of all of them together: more than any machine needs."""
SQLITE, POSTGRESQL = "sqlite", "postgresql"
_SETTINGS: dict[str, Any] = {
    "render_slots": 1,
    "render_cores": 1,
    "lease_ttl": 3,
    "queue_limit": 10_000,
    "shutdown_grace": 0,
    "webhook_timeout": 1,
    "webhook_allowed_networks": "127.0.0.1/32",
    "signing_key": "the one key of all replicas of a trial",
}


@dataclass(frozen=True)
class Ground:
    """What the replicas stand on: where each has its ``DATA_DIR``, their settings, and the bucket if there is one."""

    folders: list[Path]
    settings: dict[str, Any]
    bucket: BucketServer | None = None

    def stored(self) -> set[str]:
        """Return the objects, or the folders, in which videos lie."""
        if self.bucket is None:
            return {path.name for path in (self.folders[0] / "videos").iterdir() if not path.name.startswith(".")}
        return {key for key in self.bucket.objects() if not key.startswith("manimcast-check")}


@contextmanager
def ground(kind: str, folder: Path) -> Iterator[Ground]:
    """Make one: a folder for all with SQLite in it, or a PostgreSQL server, a bucket, and a folder for each."""
    if kind == SQLITE:
        yield Ground([folder / "data"] * REPLICAS, {})
        return
    with postgres.running() as server, nanio(folder / "bucket") as bucket:
        folders = [folder / f"replica-{number}" / "data" for number in range(REPLICAS)]
        for one in folders:
            one.parent.mkdir()
        yield Ground(folders, {"database_url": server.fresh(), **bucket.settings()}, bucket)


def trial(kind: str, folder: Path, *, count: int, faults: int, seed: int) -> Account:
    """Have ``count`` renders made, do about so many ``faults`` meanwhile, and return the account."""
    rng = random.Random(seed)
    secret = new_secret()
    with ground(kind, folder) as base, receiver.receiving(secret, random.Random(rng.random())) as hook:
        settings = _SETTINGS | base.settings | {"webhook_secret": secret}
        with replicas.running(base.folders, are_hosts=kind == POSTGRESQL, **settings) as services:
            crowd = wishes(count, rng, hook.url)
            _storm(services, crowd, rng, faults)
            entries, wrong = _look(services, base, crowd, hook)
        wrong += [f"process {pid} is left" for pid in services.left()]
    return Account(seed, kind, entries, services.faults, wrong)


def _storm(services: Replicas, crowd: list[Asked], rng: random.Random, faults: int) -> None:
    """Let the clients ask and listen, and do something whenever they have heard a little more."""
    news = News(time.monotonic() + PER_RENDER * (len(crowd) + 10))
    # A render has eight events or so. Each replica has its own share of the faults: so several may be gone at once.
    apart = max(1, 8 * len(crowd) * REPLICAS // faults)

    def harm(replica: Replica, chance: random.Random) -> None:
        heard = 0
        while news.wait(heard := max(heard, news.count - apart) + chance.randint(1, 2 * apart - 1)):
            services.harm(replica, chance)

    with ThreadPoolExecutor(REPLICAS) as elsewhere, ThreadPoolExecutor(min(AT_ONCE, len(crowd))) as clients:
        harming = [elsewhere.submit(harm, one, random.Random(rng.random())) for one in services.all]
        following = [clients.submit(follow, asked, services, random.Random(rng.random()), news) for asked in crowd]
        try:
            for one in following:
                one.result()
        finally:
            news.close()
        for one in harming:
            one.result()


def _look(
    services: Replicas, base: Ground, crowd: list[Asked], hook: receiver.Receiver
) -> tuple[list[Entry], list[str]]:
    """Wait until all is quiet, and account for each render."""
    clients = {asked.id for asked in crowd}
    until(lambda: {one.render["id"] for one in list(hook.told) if one.status == 204} >= clients, "the webhooks")
    for one in services.all:
        assert one.server is not None
        with one.server.client() as client:
            until(lambda: client.get("/v1/health").json()["uploads"]["pending"] == 0, "the uploads")
            until(lambda: not one.server.scratch(), "empty working folders")  # noqa: B023
    server = services.any(random.Random(0))
    with server.client() as client:
        entries = [account_for(client, asked, hook, services.faults) for asked in crowd]
        return entries, list(whole(services, entries, base.stored(), listed(client)))
