"""Clients that submit renders and follow them to the end, whichever replica is there at the moment."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.conftest import scene
from tests.faults.replicas import Replicas
from tests.patience import PATIENCE, until
from tests.sse import Parser, Sent

ENDS = {"succeeded", "failed", "canceled"}
SMALL = {"resolution": {"width": 64, "height": 64}, "frame_rate": 10}
REPEATED, FAILING, CANCELED = 0.1, 0.1, 0.1
"""The parts of the renders that ask for what another one has asked for, whose scene fails, and that are canceled."""


@dataclass
class Asked:
    """One render as its client knows it: what was asked for, and what was heard of it."""

    number: int
    body: dict[str, Any]
    is_canceled: bool = False
    is_failing: bool = False
    id: str = ""
    heard: list[Sent] = field(default_factory=list)
    cuts: int = 0


@dataclass
class News:
    """How many events all clients have heard, for whoever waits until they have heard more."""

    deadline: float
    count: int = 0
    over: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def check(self, asked: Asked) -> None:
        """Fail when the end of a render has been waited for too long."""
        assert time.monotonic() < self.deadline, f"{asked.id} does not end; heard of it was {asked.heard[-3:]}"

    def add(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.over = True
            self._changed.notify_all()

    def wait(self, count: int) -> bool:
        """Wait until so many were heard; False when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self.over or self.count >= count)
            return not self.over


def wishes(count: int, rng: random.Random, webhook: str) -> list[Asked]:
    """Return what ``count`` clients are going to ask for."""
    found: list[Asked] = []
    for number in range(count):
        chance = rng.random()
        body = {"code": _scene(number, fails=chance < FAILING), **SMALL, "webhook": {"url": webhook}}
        if found and chance >= 1 - REPEATED:
            body = found[rng.randrange(len(found))].body
        is_canceled = FAILING <= chance < FAILING + CANCELED
        found.append(Asked(number, body, is_canceled, "wrong on purpose" in body["code"]))
    return found


def _scene(number: int, *, fails: bool) -> str:
    lines = [
        f"self.add(Square(color=ManimColor('#{number * 4099 % 0xFFFFFF:06x}')))",
        "self.play(Create(Circle()), run_time=0.3)",
        "self.wait(0.2)",
        "self.play(Rotate(Square(), 1), run_time=0.3)",
    ]
    return scene(*lines, *(["raise ValueError('wrong on purpose')"] if fails else []))


def follow(asked: Asked, replicas: Replicas, rng: random.Random, news: News) -> None:
    """Submit a render, and listen until it has ended, hanging up anywhere and going on elsewhere."""
    asked.id = _submit(asked, replicas, rng)
    cancel_after = rng.randint(1, 4) if asked.is_canceled else None
    while not asked.heard or asked.heard[-1].event not in ENDS:
        news.check(asked)
        _listen(asked, replicas, rng, news)
        asked.cuts += 1
        if cancel_after is not None and len(asked.heard) >= cancel_after:
            _cancel(asked, replicas, rng)
            cancel_after = None


def _submit(asked: Asked, replicas: Replicas, rng: random.Random) -> str:
    headers = {"idempotency-key": f"client-{asked.number}"}

    def accepted() -> str | None:
        try:
            with replicas.any(rng).client() as client:
                answer = client.post("/v1/renders", json=asked.body, headers=headers)
        except httpx.TransportError:  # killed; it may have queued it, which the key knows
            return None
        assert answer.status_code in {200, 202, 503}, answer.text
        return None if answer.status_code == 503 else str(answer.json()["id"])

    found = until(accepted, f"the submission of {asked.number}")
    assert found is not None
    return found


def _listen(asked: Asked, replicas: Replicas, rng: random.Random, news: News) -> None:
    headers = {"last-event-id": str(asked.heard[-1].id)} if asked.heard else {}
    left, parser, rest = rng.randint(50, 3000) * (asked.cuts % 5 + 1), Parser(), ""
    url = f"/v1/renders/{asked.id}/events"
    try:
        with (
            replicas.any(rng).client() as client,
            client.stream("GET", url, headers=headers, timeout=PATIENCE) as answer,
        ):
            assert answer.status_code in {200, 503}, answer.status_code
            if answer.status_code == 503:
                return
            for chunk in answer.iter_raw():
                news.check(asked)
                *lines, rest = (rest + chunk.decode("latin-1")).split("\n")
                for sent in map(parser.feed, lines):
                    if sent is not None:
                        asked.heard.append(sent)
                        news.add()
                left -= len(chunk)
                if left <= 0:
                    return
    except httpx.TransportError:
        return  # killed


def _cancel(asked: Asked, replicas: Replicas, rng: random.Random) -> None:
    def canceled() -> bool:
        try:
            with replicas.any(rng).client() as client:
                answer = client.post(f"/v1/renders/{asked.id}/cancel")
        except httpx.TransportError:
            return False
        assert answer.status_code in {200, 503}, answer.text
        return answer.status_code == 200

    until(canceled, f"the cancel of {asked.number}")
