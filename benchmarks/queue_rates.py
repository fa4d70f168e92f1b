"""How fast renders are queued, claimed from the table, and go through a service that takes no time to draw them."""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

from benchmarks.queue_process import Place, all_of, body, serving
from benchmarks.queue_table import in_ms
from manimcast.executors.policy import AUTO
from manimcast.renders import RenderStatus, RenderStore
from manimcast.renders.rows import NewRender, Outcome
from manimcast.spec import ErrorCode, RenderSpec, SceneError

ENDED = Outcome(RenderStatus.failed, error=SceneError(code=ErrorCode.internal, message="measured"))


async def measure_submit(place: Place, chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure what it takes to have a render queued."""
    settings = {"render_slots": 1, "queue_limit": 10**6}
    with serving(place, **settings) as service:
        async with service.client() as client:
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
            together = await all_of(submit() for _ in range(chosen.renders))
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
        async with service.client() as client:
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
