"""What it costs to tell many listeners of events, and how soon they hear."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.queue_process import PATIENCE, Place, Served, all_of, body, serving
from benchmarks.queue_table import in_ms

SECONDS = 10.0
"""For how long listeners are looked at."""
AT_ONCE = 200
"""Listeners that connect at the same time."""


class Listener(asyncio.Protocol):
    """One connection that listens to a render, and notes when it hears what.

    Attributes
    ----------
    heard
        Of each event: its type, the time that it bears, and when it came, in seconds since 1970.
    """

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self.heard: list[tuple[str, float, float]] = []
        self.began = asyncio.get_running_loop().create_future()
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the events."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take note of the events in what has come."""
        now = time.time()
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        for block in blocks:
            _, found, event = block.partition(b"event: ")
            if found:
                when = event.partition(b'"time":"')[2][:24].decode()
                kind = event.partition(b"\n")[0].decode()
                self.heard.append((kind, datetime.datetime.fromisoformat(when).timestamp(), now))
                if not self.began.done():
                    self.began.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        for future in (self.began, self.ended):
            if not future.done():
                future.set_result(exc)


@asynccontextmanager
async def listening(service: Served, names: list[str]) -> AsyncIterator[list[Listener]]:
    """Have one connection listen to each of the renders, which all have begun to hear."""
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    try:
        for first in range(0, len(names), AT_ONCE):
            some = []
            for name in names[first : first + AT_ONCE]:
                head = f"GET /v1/renders/{name}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                some.append(
                    (await loop.create_connection(lambda head=head: Listener(head), "127.0.0.1", service.port))[1]
                )
            await asyncio.wait_for(asyncio.gather(*(one.began for one in some)), PATIENCE)
            listeners += some
        yield listeners
    finally:
        for one in listeners:
            one.transport.close()


async def measure_events(place: Place, chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure what listeners cost, and how soon they hear."""
    found: dict[str, Any] = {}
    count = chosen.listeners
    with serving(place, render_slots=1, queue_limit=10**6, render_timeout=10**6) as service:
        async with service.client() as client:

            async def submit(plays: int) -> str:
                answer = await client.post("/v1/renders", json=body(plays))
                assert answer.status_code == 202, answer.text
                return str(answer.json()["id"])

            async def cancel(name: str) -> None:
                assert (await client.post(f"/v1/renders/{name}/cancel")).status_code == 200

            running_one = await submit(10**6)
            memory = service.memory()
            async with listening(service, [running_one]) as one:
                found["one on one render"] = await _look(service, one)
            async with listening(service, [running_one] * count) as all_of_them:
                found[f"{count} on one render"] = await _look(service, all_of_them)
                found[f"{count} on one render"]["kib_each"] = round((service.memory() - memory) / 1024 / count, 1)
                await cancel(running_one)
                await asyncio.wait_for(asyncio.gather(*(listener.ended for listener in all_of_them)), PATIENCE)
                found[f"{count} on one render"]["end_ms"] = _delays(all_of_them, "canceled")
            running_one = await submit(10**6)
            waiting = await all_of(submit(1) for _ in range(count))
            memory = service.memory()
            async with listening(service, waiting) as idle, listening(service, [running_one]) as one:
                situation = f"{count} idle ones on {count} renders, one on another"
                found[situation] = await _look(service, one)
                found[situation]["kib_each"] = round((service.memory() - memory) / 1024 / count, 1)
                await all_of(cancel(name) for name in waiting)
                await asyncio.wait_for(asyncio.gather(*(listener.ended for listener in idle)), PATIENCE)
                found[situation]["end_ms"] = _delays(idle, "canceled")
                assert all([kind for kind, _, _ in one.heard] == ["queued", "canceled"] for one in idle)
    return found


async def _look(service: Served, listeners: list[Listener]) -> dict[str, Any]:
    """Listen for a while; return the processor time of the service, and how late its events were."""
    began, before = time.time(), service.cpu()
    await asyncio.sleep(SECONDS)
    cpu = (service.cpu() - before) / (time.time() - began)
    for one in listeners:
        one.heard = [heard for heard in one.heard if heard[1] >= began]
    counts = [len(one.heard) for one in listeners]
    assert max(counts) - min(counts) <= 10, f"some have heard {min(counts)} events, others {max(counts)}"
    return {
        "cpu_percent": round(100 * cpu, 1),
        "events_per_second_each": round(statistics.median(counts) / SECONDS, 2),
        "delay_ms": _delays(listeners, "progress", "segment"),
    }


def _delays(listeners: list[Listener], *kinds: str) -> dict[str, float]:
    return in_ms([came - when for one in listeners for kind, when, came in one.heard if kind in kinds])
