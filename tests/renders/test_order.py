"""The order of the queue: fair between tenants, by priority and age within one, bounded for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import insert, update

from manimcast.database import Present
from manimcast.executors.policy import Fault
from manimcast.renders import RenderStore
from manimcast.renders.order import STEP
from manimcast.renders.rows import NewRender, Waiting
from manimcast.renders.table import renders
from manimcast.settings import Settings

from .scripted import a_spec

pytestmark = pytest.mark.anyio


async def queue(
    store: RenderStore, render_id: str, *, tenant: str = "a", priority: int = 0, asks: str = "auto"
) -> None:
    assert await store.admission.insert(
        NewRender(render_id, tenant, a_spec(), requested=asks, priority=priority), room=10_000
    )


async def age(store: RenderStore, render_id: str, seconds: float) -> None:
    """Have a render wait for so long already."""
    async with store.database.write() as connection:
        await connection.execute(update(renders).where(renders.c.id == render_id).values(turn=renders.c.turn - seconds))


async def order(store: RenderStore) -> list[str]:
    return [waiting.id for waiting in await store.claims.queued()]


async def claim(store: RenderStore, render_id: str) -> bool:
    return await store.claims.take(render_id, owner="me", executor="local") is not None


async def next_one(store: RenderStore) -> str:
    """Start what is next, and return its id."""
    chosen = (await order(store))[0]
    assert await claim(store, chosen)
    return chosen


@pytest.mark.parametrize("slots", [1, 3])
async def test_behind_many_of_one_tenant_the_next_start_is_another_tenants(store: RenderStore, slots: int) -> None:
    for number in range(200):
        await queue(store, f"a{number:04}")
    running = [await next_one(store) for _ in range(slots)]
    await queue(store, "b", tenant="b")
    place = await store.get("b")
    assert place is not None
    assert place.queue_position == 1
    assert await next_one(store) == "b"
    assert running == [f"a{number:04}" for number in range(slots)]
    assert (await order(store))[0] == f"a{slots:04}"


async def test_tenants_take_turns(store: RenderStore) -> None:
    for tenant, many in (("a", 4), ("b", 2), ("c", 1)):
        for number in range(many):
            await queue(store, f"{tenant}{number}", tenant=tenant)
    assert await order(store) == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]
    assert [await next_one(store) for _ in range(7)] == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]


async def test_a_priority_overtakes_what_came_lately_and_nothing_waits_for_ever(store: RenderStore) -> None:
    for render_id in ("old", "new"):
        await queue(store, render_id)
    await age(store, "old", 3 * STEP)
    await queue(store, "urgent", priority=2)
    await queue(store, "idle", priority=-1)
    assert await order(store) == ["old", "urgent", "new", "idle"]
    await age(store, "idle", 2 * STEP)
    assert (await order(store)).index("idle") < (await order(store)).index("new")
    positions = []
    for render_id in await order(store):
        render = await store.get(render_id)
        assert render is not None
        positions.append(render.queue_position)
    assert positions == [1, 2, 3, 4]


async def test_a_render_that_is_put_back_keeps_its_place(store: RenderStore) -> None:
    for number in range(3):
        await queue(store, f"a{number}")
    assert await claim(store, "a0")
    await queue(store, "a3")
    assert await store.claims.put_back("a0", 1)
    assert await order(store) == ["a0", "a1", "a2", "a3"]


async def test_a_tenant_has_no_more_running_than_its_slots(settings: Callable[..., Settings]) -> None:
    store = RenderStore(settings(tenant_slots=2))
    await store.open()
    try:
        for number in range(5):
            await queue(store, f"a{number}")
        await queue(store, "b0", tenant="b")
        assert await order(store) == ["a0", "b0", "a1"]
        taken = await asyncio.gather(*(claim(store, f"a{number}") for number in range(5)))
        assert sum(taken) == 2
        assert await order(store) == ["b0"]
    finally:
        await store.close()


async def test_however_many_wait_all_are_looked_at(store: RenderStore) -> None:
    # Of a thousand that wait for one executor, none may hide the one that another could run.
    rows = [NewRender(f"a{number:04}", "a", a_spec(), requested="modal") for number in range(1000)]
    async with store.database.write() as connection:
        values = [row.values() | {"status": "queued", "attempt": 0} for row in rows]
        await connection.execute(insert(renders).values(created_at=Present()), values)
    await queue(store, "last", asks="local")
    assert (await store.claims.queued())[-1] == Waiting("last", "local", {})
    assert len(await store.claims.queued()) == 1001


async def test_of_the_queue_so_many_are_read_as_may_start(store: RenderStore) -> None:
    for number, asks in enumerate(("auto", "modal", "auto", "local", "auto")):
        await queue(store, f"r{number}", asks=asks)
    asking = store.claims.queued
    assert [one.id for one in await asking(asking=["auto", "local"])] == ["r0", "r2", "r3", "r4"]
    assert [one.id for one in await asking(asking=["auto", "local"], limit=2)] == ["r0", "r2"]
    assert [one.id for one in await asking(asking=["auto", "local"], limit=2, after=2)] == ["r3", "r4"]
    assert [one.id for one in await asking(asking=["local"])] == ["r3"]
    assert await store.claims.in_need(asking=["auto", "local"]) == [Waiting("r1", "modal", {})]
    assert await claim(store, "r0")
    faults = {"local": Fault(1, "no disk", final=True)}
    assert await store.claims.put_back("r0", 1, faults=faults)
    in_need = Waiting("r0", "auto", faults)
    assert await store.claims.in_need(asking=["auto", "local", "modal"]) == [in_need]
    assert await asking(asking=["local"], limit=1) == [in_need], "it may go where others that ask for auto do not"
