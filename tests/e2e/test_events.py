"""Events of real renders from real services, cut off at random and resumed: the same list as of one that was not."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import scene
from tests.e2e.server import Server, serving
from tests.patience import PATIENCE, until
from tests.postgres import Postgres, running
from tests.sse import Parser, Sent, parse

CUTS = 50
"""At least as many times is a stream cut off."""
PLAYS = 40
LIVELY = scene(
    "import time",
    f"for number in range({PLAYS}):",
    "    self.add(Dot(LEFT * number / 10))",
    "    self.play(Rotate(Square(), 1), run_time=0.2)",
    "    time.sleep(0.05)",
)
"""A scene of which there is much to tell, and which takes its time."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


def submit(server: Server, code: str) -> str:
    with server.client() as client:
        answer = client.post("/v1/renders", json={"code": code, "quality": "low", "cache": "off"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])


def whole(server: Server, render_id: str) -> list[Sent]:
    """Listen without a break."""
    with server.client() as client, client.stream("GET", f"/v1/renders/{render_id}/events") as answer:
        assert answer.status_code == 200
        return list(parse(answer.iter_lines()))


def in_pieces(servers: Sequence[Server], render_id: str, rng: random.Random) -> tuple[list[Sent], int]:
    """Listen at one of the services after the other, hanging up anywhere; return what was heard, and how often."""
    heard: list[Sent] = []
    cuts = fruitless = 0
    while not heard or heard[-1].event not in {"succeeded", "failed", "canceled"}:
        left, before = rng.randint(1, 500) * (fruitless + 1), len(heard)
        headers = {"last-event-id": str(heard[-1].id)} if heard else {}
        parser, rest = Parser(), ""
        url = f"/v1/renders/{render_id}/events"
        with rng.choice(servers).client() as client, client.stream("GET", url, headers=headers) as answer:
            assert answer.status_code == 200
            for chunk in answer.iter_raw(1):
                *lines, rest = (rest + chunk.decode("latin-1")).split("\n")
                heard += [sent for sent in map(parser.feed, lines) if sent is not None]
                left -= 1
                if not left:
                    cuts += 1
                    break
        fruitless = 0 if len(heard) > before else fruitless + 1  # the last event is a long one
    return heard, cuts


def comparable(events: list[Sent]) -> list[tuple[int, str, dict[str, Any]]]:
    """Return the events without links, which are made anew for everybody who asks."""
    found = []
    for sent in events:
        data = json.loads(json.dumps(sent.data))
        if result := data.get("render", {}).get("result"):
            for name in ("video_url", "poster_url", "expires_at"):
                del result[name]
        found.append((sent.id, sent.event, data))
    return found


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_stream_that_is_cut_off_again_and_again_misses_nothing(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    settings: dict[str, object] = {"render_slots": 1}
    if database == "postgresql":  # two services, of which one renders it
        url = request.getfixturevalue("postgres").fresh()
        settings |= {"database_url": url, "shared_data_dir": 1}
    with ExitStack() as stack:
        count = 2 if database == "postgresql" else 1
        servers = [stack.enter_context(serving(tmp_path / "data", **settings)) for _ in range(count)]
        render_id = submit(servers[0], LIVELY)
        with ThreadPoolExecutor() as threads:
            uncut = [threads.submit(whole, server, render_id) for server in servers]
            pieces = [threads.submit(in_pieces, servers, render_id, random.Random(seed)) for seed in (1, 2)]
            expected = uncut[0].result(PATIENCE)
            others = [one.result(PATIENCE) for one in uncut[1:]]
            results = [one.result(PATIENCE) for one in pieces]
    assert [sent.id for sent in expected] == list(range(1, len(expected) + 1))
    kinds = [sent.event for sent in expected]
    assert kinds[:2] == ["queued", "running"]
    assert kinds.count("segment") == PLAYS
    assert kinds.count("progress") >= 2
    assert kinds[-1] == "succeeded", expected[-1]
    assert sum(cuts for _, cuts in results) >= CUTS
    for heard in (*others, *(heard for heard, _ in results)):
        assert comparable(heard) == comparable(expected)


def test_a_killed_service_goes_on_where_it_was(tmp_path: Path) -> None:
    endless = scene("while True:", "    self.play(Rotate(Square(), 1), run_time=0.2)")
    waiting = scene("self.wait()")
    settings: dict[str, object] = {"render_slots": 1, "max_duration": 3600}
    with serving(tmp_path / "data", **settings) as server:
        names = [submit(server, code) for code in (endless, waiting)]
        heard: list[Sent] = []

        def listen() -> None:
            url = f"/v1/renders/{names[0]}/events"
            with server.client() as client, suppress(httpx.TransportError), client.stream("GET", url) as answer:
                heard.extend(parse(answer.iter_lines()))  # until it is killed

        listener = threading.Thread(target=listen)
        listener.start()
        until(lambda: sum(sent.event == "segment" for sent in heard) >= 3, "three plays")
        os.kill(server.process.pid, signal.SIGKILL)
        listener.join(PATIENCE)
    with serving(tmp_path / "data", **settings) as server, server.client() as client:
        url = f"/v1/renders/{names[0]}/events"
        with client.stream("GET", url, headers={"last-event-id": str(heard[-1].id)}) as answer:
            for sent in parse(answer.iter_lines()):
                heard.append(sent)
                if sent.event == "running":
                    assert client.post(f"/v1/renders/{names[0]}/cancel").status_code == 200
        assert comparable(heard) == comparable(whole(server, names[0]))
        states = [(sent.event, sent.data["attempt"]) for sent in heard if sent.event not in {"progress", "segment"}]
        assert states == [("queued", 0), ("running", 1), ("queued", 1), ("running", 2), ("canceled", 2)]
        assert whole(server, names[1])[-1].event == "succeeded"
