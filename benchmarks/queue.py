"""`./dev bench queue`: the queue and its events, on SQLite and on PostgreSQL, without the time that drawing takes.

Three parts, each with a real service in a process of its own, whose executor draws nothing
(:mod:`benchmarks.queue_service`):

``submit``
    ``POST /v1/renders``, one after the other and 16 at once, into a queue in which nothing runs yet.
``claim``
    What a worker does with the table: look at the queue, claim the first, end it; by one worker and by four at once.
    And from end to end: renders that take no time, from the first submission to the last end.
``events``
    Listeners on one process, while a render runs that says something several times a second: one on that render; all of
    them on it; and one on it beside all of them on renders that wait, each on its own. For each: the processor time of
    the process, and how long events took from the time that they bear, which is before they are written, to each
    listener; at last the event that ends a render. Service, database and listeners share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from benchmarks import machine, processes
from manimcast.executors.policy import AUTO
from manimcast.renders import RenderStatus, RenderStore
from manimcast.renders.rows import NewRender, Outcome
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, RenderSpec, SceneError
from tests.postgres import running

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
SECONDS = 10.0
"""For how long listeners are looked at."""
AT_ONCE = 200
"""Listeners that connect at the same time."""
PATIENCE = 300.0

T = TypeVar("T")

ENDED = Outcome(RenderStatus.failed, error=SceneError(code=ErrorCode.internal, message="measured"))


def main(arguments: list[str]) -> int:
    """Measure, print, keep the raw results. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="./dev bench queue", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--renders", type=int, default=500, help="renders of a part; default: 500")
    parser.add_argument("--listeners", type=int, default=2000, help="default: 2000")
    parser.add_argument("--databases", nargs="*", default=("sqlite", "postgresql"), choices=("sqlite", "postgresql"))
    parser.add_argument("--parts", nargs="*", default=("submit", "claim", "events"))
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the raw results")
    chosen = parser.parse_args(arguments)
    _raise_limit(2 * chosen.listeners + 200)
    began = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result: dict[str, Any] = {"began": began, "arguments": arguments, "machine": machine.describe()}
    result["load_before"] = machine.load()
    for database in chosen.databases:
        with ExitStack() as stack:
            server = stack.enter_context(running(durable=True)) if database == "postgresql" else None
            found: dict[str, Any] = {}
            for part in chosen.parts:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-queue-")))
                place = Place(folder, server and server.fresh())
                found[part] = asyncio.run(PARTS[part](place, chosen))
                print(f"{database}, {part}: {json.dumps(found[part])}", flush=True)
        result[database] = found
    result["load_after"] = machine.load()
    chosen.results.mkdir(parents=True, exist_ok=True)
    path = chosen.results / f"queue-{began.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    tables = as_markdown(result, chosen.databases)
    path.with_suffix(".md").write_text(tables, encoding="utf-8")
    print(f"\n{tables}\nload before {result['load_before']}, after {result['load_after']}; raw results: {path}")
    return 0


@dataclass(frozen=True)
class Place:
    """Where a service keeps its data."""

    folder: Path
    database_url: str | None

    def environment(self, **settings: object) -> dict[str, str]:
        """Return the environment of a service there."""
        chosen = {"data_dir": self.folder / "data", "shared_data_dir": 1, "sandbox": "off", **settings}
        if self.database_url:
            chosen["database_url"] = self.database_url
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)} | {
            name.upper(): str(value) for name, value in chosen.items()
        }

    def settings(self) -> Settings:
        """Return the settings for the same data in this process."""
        return Settings(_env_file=None, data_dir=self.folder / "data", database_url=self.database_url)


class Served:
    """A service's process, and how to reach it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.pid = process.pid
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def cpu(self) -> float:
        """Return the processor seconds that it has used."""
        return processes.cpu_seconds(self.pid)

    def memory(self) -> int:
        """Return its resident memory, in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


@contextmanager
def serving(place: Place, **settings: object) -> Iterator[Served]:
    """Run a service."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = place.environment(port=port, log_level="ERROR", **settings)
    command = [sys.executable, "-m", "benchmarks.queue_service"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == "ready":
                    break
            else:
                raise RuntimeError("the service did not start")
            # What it logs later has to be read, or it would wait for that.
            threading.Thread(target=sys.stderr.writelines, args=(process.stdout,), daemon=True).start()
            yield Served(process, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def body(plays: int) -> dict[str, object]:
    """Return a request for a render of so many plays."""
    return {"code": f"class A(Scene): pass  # {plays}", "cache": "off"}


async def measure_submit(place: Place, chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure what it takes to have a render queued."""
    settings = {"render_slots": 1, "queue_limit": 10**6}
    with serving(place, **settings) as service:
        async with httpx.AsyncClient(base_url=service.address, timeout=PATIENCE, trust_env=False) as client:
            await client.post("/v1/renders", json=body(10**6))  # takes the only slot

            async def submit() -> float:
                began = time.perf_counter()
                answer = await client.post("/v1/renders", json=body(1))
                assert answer.status_code == 202, answer.text
                return time.perf_counter() - began

            before = service.cpu()
            alone = [await submit() for _ in range(chosen.renders)]
            cpu = (service.cpu() - before) / chosen.renders
            began = time.perf_counter()
            together = await _all_of(submit() for _ in range(chosen.renders))
            took = time.perf_counter() - began
    return {
        "alone_ms": in_ms(alone),
        "cpu_ms": round(cpu * 1000, 2),
        "together_ms": in_ms(together),
        "per_second": round(chosen.renders / took, 1),
    }


async def measure_claim(place: Place, chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure how fast renders are taken from the table, and how fast they go through a service."""
    found: dict[str, Any] = {}
    for workers in (1, 4):
        stores = [RenderStore(place.settings()) for _ in range(workers)]
        for store in stores:
            await store.open()
        for number in range(chosen.renders):
            spec = RenderSpec(code="class A(Scene): pass")
            new = NewRender(f"rnd_{workers}{number:06}", f"tenant{number % 5}", spec, AUTO)
            assert await stores[0].admission.insert(new, room=10**6)
        began = time.perf_counter()
        await asyncio.gather(*(_work(store, f"worker{number}") for number, store in enumerate(stores)))
        found[f"claims_per_second_{workers}"] = round(chosen.renders / (time.perf_counter() - began), 1)
        for store in stores:
            await store.close()
    with serving(place, render_slots=8, queue_limit=10**6) as service:
        async with httpx.AsyncClient(base_url=service.address, timeout=PATIENCE, trust_env=False) as client:
            began, before = time.perf_counter(), service.cpu()
            answers = [await client.post("/v1/renders", json=body(0)) for _ in range(chosen.renders)]
            last = await client.get(f"/v1/renders/{answers[-1].json()['id']}/events")
            assert "event: succeeded" in last.text
            found["renders_per_second"] = round(chosen.renders / (time.perf_counter() - began), 1)
            found["cpu_ms_per_render"] = round((service.cpu() - before) / chosen.renders * 1000, 2)
    return found


async def _work(store: RenderStore, owner: str) -> None:
    """Claim and end one render after the other, until none waits."""
    while queue := await store.claims.queued():
        for waiting in queue[:20]:
            claim = await store.claims.take(waiting.id, owner=owner, executor="local")
            if claim is not None:
                assert await store.endings.finish(claim.id, claim.attempt, ENDED)


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
        async with httpx.AsyncClient(base_url=service.address, timeout=PATIENCE, trust_env=False) as client:

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
            waiting = await _all_of(submit(1) for _ in range(count))
            memory = service.memory()
            async with listening(service, waiting) as idle, listening(service, [running_one]) as one:
                situation = f"{count} idle ones on {count} renders, one on another"
                found[situation] = await _look(service, one)
                found[situation]["kib_each"] = round((service.memory() - memory) / 1024 / count, 1)
                await _all_of(cancel(name) for name in waiting)
                await asyncio.wait_for(asyncio.gather(*(listener.ended for listener in idle)), PATIENCE)
                found[situation]["end_ms"] = _delays(idle, "canceled")
                assert all([kind for kind, _, _ in one.heard] == ["queued", "canceled"] for one in idle)
    return found


async def _all_of(requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Make requests, a few at once."""
    gate = asyncio.Semaphore(16)

    async def one(request: Coroutine[Any, Any, T]) -> T:
        async with gate:
            return await request

    return await asyncio.gather(*map(one, requests))


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


def in_ms(seconds: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the worst, in milliseconds."""
    ordered = sorted(seconds)
    picked = {
        "median": statistics.median(ordered),
        "p99": ordered[int(0.99 * (len(ordered) - 1))],
        "worst": ordered[-1],
    }
    return {name: round(1000 * value, 1) for name, value in picked.items()}


PARTS = {"submit": measure_submit, "claim": measure_claim, "events": measure_events}


def as_markdown(result: dict[str, Any], databases: list[str]) -> str:
    """Return the figures as tables, one column for each database."""
    rows: dict[str, dict[str, str]] = {}
    for database in databases:
        for part, figures in result[database].items():
            for name, value in _flat(figures):
                rows.setdefault(f"{part}: {name}", {})[database] = value
    lines = [f"| | {' | '.join(databases)} |", f"| --- |{' --- |' * len(databases)}"]
    lines += [f"| {name} | {' | '.join(values.get(one, '') for one in databases)} |" for name, values in rows.items()]
    return "\n".join(lines) + "\n"


def _flat(figures: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        if isinstance(value, dict) and "median" in value:
            yield f"{prefix}{name} (median, 99 %, worst)", " / ".join(f"{one:g}" for one in value.values())
        elif isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}, ")
        else:
            yield f"{prefix}{name}", f"{value:g}"


def _raise_limit(files: int) -> None:
    """Have as many connections as files may be open, here and in the services that are started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), hard))
