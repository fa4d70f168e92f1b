"""How `./dev bench queue` reads events and shows its figures."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.queue_events import Listener, listening
from benchmarks.queue_process import Place, body, serving
from benchmarks.queue_rates import measure_claim
from benchmarks.queue_table import as_markdown, in_ms


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"d\r\nretry: 2000\n\n\r\n"
    b'4a\r\nevent: queued\ndata: {"attempt":0,"time":"2026-11-26T00:28:51.646Z"}\nid: 1\n\n\r\n'
    b"8\r\n: ping\n\n\r\n"
    b'50\r\nevent: canceled\ndata: {"attempt":0,"time":"2026-11-26T00:28:52.000Z","render":{}}\nid: 2\n\n\r\n'
)


@pytest.mark.parametrize("size", [1, 7, len(STREAM)])
def test_a_listener_notes_each_event_with_its_time(size: int) -> None:
    async def listen() -> Listener:
        listener = Listener(b"")
        for start in range(0, len(STREAM), size):
            listener.data_received(STREAM[start : start + size])
        assert listener.began.done()
        assert not listener.ended.done()
        listener.connection_lost(None)
        assert listener.ended.done()
        return listener

    heard = asyncio.run(listen()).heard
    assert [kind for kind, _, _ in heard] == ["queued", "canceled"]
    assert round(heard[1][1] - heard[0][1], 3) == 0.354
    assert all(when < came <= time.time() for _, when, came in heard)


def test_the_tables_have_a_column_for_each_database() -> None:
    delays = in_ms([0.001 * number for number in range(1, 101)])
    assert delays == {"median": 50.5, "p99": 99.0, "worst": 100.0}
    result = {
        "sqlite": {"submit": {"alone_ms": delays, "per_second": 12.5}},
        "postgresql": {"submit": {"per_second": 7.0}},
    }
    assert as_markdown(result, ["sqlite", "postgresql"]).splitlines()[2:] == [
        "| submit: alone_ms (median, 99 %, worst) | 50.5 / 99 / 100 |  |",
        "| submit: per_second | 12.5 | 7 |",
    ]


@pytest.mark.anyio
async def test_renders_go_through_the_service_that_is_measured(tmp_path: Path) -> None:
    place, few = Place(tmp_path, None), Namespace(renders=3)
    assert min((await measure_claim(place, few)).values()) > 0
    with serving(place, render_slots=1) as service:
        async with service.client() as client:
            # One that is told of as it is drawn, by the executor as it is asked by the service of today.
            asked = await client.post("/v1/renders", json=body(1))
            path = asked.headers["location"]
            async with listening(service, [path.rpartition("/")[2]]) as (listener,):
                await listener.ended
            kinds = [kind for kind, _, _ in listener.heard]
            assert (kinds[0], kinds[-1]) == ("queued", "succeeded")
            assert "progress" in kinds
            assert service.memory() > service.cpu() > 0
