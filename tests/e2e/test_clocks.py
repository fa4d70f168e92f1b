"""Services on hosts whose clocks are wrong, or are set while renders run: nothing is lost, and nothing goes early."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from manimcast.webhooks import new_secret
from tests.e2e.conftest import QUICK, scene
from tests.e2e.server import Server, serving
from tests.faults.receiver import Receiver, receiving
from tests.patience import until
from tests.postgres import running
from tests.sse import Sent, parse
from tests.wrong_clock import Clock

HOUR = 3600.0
SMALL = {"resolution": {"width": 64, "height": 64}, "frame_rate": 10}
SETTINGS: dict[str, Any] = {"render_slots": 1, "lease_ttl": 3, "webhook_allowed_networks": "127.0.0.1/32"}


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """The clock of one host."""
    clock = Clock(tmp_path / "clock")
    clock.set(0)
    return clock


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that verifies with a stock library, to which what was signed five minutes ago is not valid."""
    with receiving(new_secret(), random.Random(0)) as receiver:
        yield receiver


@pytest.fixture
def postgresql() -> Iterator[dict[str, Any]]:
    """The settings of a database that several hosts share, and of a folder that they share as well."""
    with running() as server:
        yield {"database_url": server.fresh(), "shared_data_dir": 1}


def render(client: httpx.Client, code: str, key: str, receiver: Receiver) -> dict[str, Any]:
    """Ask for a render, or for the one that this key is of, and return it when it has ended."""
    body = {"code": code, **SMALL, "webhook": {"url": receiver.url}}
    created = client.post("/v1/renders", json=body, headers={"idempotency-key": key})
    assert created.status_code in {200, 202}, created.text
    events(client, created.json()["id"])
    found: dict[str, Any] = client.get(f"/v1/renders/{created.json()['id']}").json()
    return found


def events(client: httpx.Client, render_id: str) -> list[Sent]:
    """Return all events of a render, once it has ended."""
    with client.stream("GET", f"/v1/renders/{render_id}/events") as answer:
        return list(parse(answer.iter_lines()))


def goes_round(client: httpx.Client, receiver: Receiver) -> None:
    """Wait until what expires after a second has: the service that runs now has looked for what has expired."""
    failed = render(client, scene(f"raise ValueError({random.random()})"), f"{random.random()}", receiver)
    assert failed["status"] == "failed"
    until(lambda: client.get(f"/v1/renders/{failed['id']}").status_code == 404, "a round of the retention")


@pytest.mark.parametrize("hours", [5, -5])
def test_a_host_whose_clock_is_wrong_deletes_nothing_early_and_has_nothing_deleted_early(
    tmp_path: Path, clock: Clock, receiver: Receiver, postgresql: dict[str, Any], hours: int
) -> None:
    lifetimes = {"video_ttl": HOUR, "record_ttl": HOUR, "idempotency_ttl": HOUR, "failed_ttl": 1}
    settings = SETTINGS | postgresql | lifetimes | {"webhook_secret": receiver.secret}
    began = datetime.now(UTC)
    clock.set(hours * HOUR)
    codes = [QUICK, scene("self.play(Create(Square()))")]
    made: list[dict[str, Any]] = []
    # Both retain, one after the other, what both have made.
    for host in (clock, None, clock):
        with serving(tmp_path / "data", clock=host, **settings) as server, server.client() as client:
            if len(made) < len(codes):
                made.append(render(client, codes[len(made)], f"key-{len(made)}", receiver))
            goes_round(client, receiver)
            for number, one in enumerate(made):
                assert render(client, codes[number], f"key-{number}", receiver)["id"] == one["id"], "its key is known"
                found = client.get(f"/v1/renders/{one['id']}").json()
                assert (found["status"], found["attempt"]) == ("succeeded", 1)
                assert client.get(found["result"]["video_url"]).headers["content-type"] == "video/mp4"
                told = [datetime.fromisoformat(sent.data["time"]) for sent in events(client, one["id"])]
                states = [datetime.fromisoformat(found[f"{name}_at"]) for name in ("created", "started", "finished")]
                for times in (told, states):
                    assert times == sorted(times)
                    assert began.replace(microsecond=0) <= times[0] <= times[-1] <= datetime.now(UTC)
    for one in made:
        assert [told.status for told in receiver.told if told.render["id"] == one["id"]][-1] == 204


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_clock_that_is_set_while_renders_run_loses_none_and_ends_none(
    tmp_path: Path, clock: Clock, receiver: Receiver, database: str, request: pytest.FixtureRequest
) -> None:
    settings = SETTINGS | {"webhook_secret": receiver.secret}
    hosts = [clock, clock]  # with SQLite all services are on one host
    if database == "postgresql":
        settings |= request.getfixturevalue("postgresql")
        hosts = [clock, Clock(tmp_path / "right")]
        hosts[1].set(0)
    plays = [f"self.play(Rotate(Square(), {number}), run_time=0.5)" for number in range(1, 13)]
    chance = random.Random(1)
    with ExitStack() as stack:
        servers: list[Server] = [
            stack.enter_context(serving(tmp_path / "data", clock=host, **settings)) for host in hosts
        ]
        client = stack.enter_context(servers[0].client())
        ids = []
        for number in range(4):
            body = {"code": scene(f"self.wait(0.{number + 1})", *plays), **SMALL, "webhook": {"url": receiver.url}}
            ids.append(client.post("/v1/renders", json=body).json()["id"])
        heard = 0
        for render_id in ids:
            with client.stream("GET", f"/v1/renders/{render_id}/events") as answer:
                for _ in parse(answer.iter_lines()):
                    heard += 1
                    clock.set(chance.choice([-30, -3, 0, 5, 26]) * HOUR)
        assert heard > 4 * len(plays)
        clock.set(0)
        for render_id in ids:
            found = client.get(f"/v1/renders/{render_id}").json()
            assert (found["status"], found["attempt"]) == ("succeeded", 1)
            kinds = [sent.event for sent in events(client, render_id) if sent.event != "progress"]
            assert kinds[:2] == ["queued", "running"]
            assert kinds.count("running") == kinds.count("succeeded") == 1
            assert client.get(found["result"]["video_url"]).headers["content-type"] == "video/mp4"
        if database == "sqlite":  # what was signed at a wrong time was refused, and is tried again after a while
            for render_id in ids:
                assert client.post(f"/v1/renders/{render_id}/webhook/replay").status_code == 202
        until(lambda: {one.render["id"] for one in list(receiver.told) if one.status == 204} == set(ids), "webhooks")
        assert not any("was lost" in line for server in servers for line in server.log)
