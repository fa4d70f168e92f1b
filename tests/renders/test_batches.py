"""Many renders at once: all of them admitted or none, one progress, one end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import await_only

from manimcast.renders import (
    Batch,
    Batches,
    BatchNotFound,
    Draft,
    JoinStore,
    KeyTakenError,
    QueueFull,
    RenderService,
    RenderStatus,
    RenderStore,
    RequestKey,
    WebhookWish,
)
from manimcast.renders.table import batches, events, renders
from manimcast.settings import Settings
from manimcast.storage import LocalStorage
from tests.patience import PATIENCE, eventually

from .scripted import ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio


@dataclass
class Running:
    """A service with batches, and the ends that it was told of."""

    batches: Batches
    service: RenderService
    store: RenderStore
    executor: ScriptedExecutor
    ended: list[str]

    async def until(self, batch: Batch, holds: Callable[[Batch], bool]) -> Batch:
        async def look() -> Batch | None:
            found = await self.batches.get(batch.id, tenant="t")
            return found if holds(found) else None

        found: Batch = await eventually(look, "what a batch is to become")
        return found


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(settings: Callable[..., Settings]) -> Start:
    """Return a function that runs a service with one executor; all share a folder and a database."""

    @contextlib.asynccontextmanager
    async def run(**fields: Any) -> AsyncIterator[Running]:
        executor = ScriptedExecutor(slots=2)
        executor.fingerprint = {"manim": "0.22.0"}
        chosen = settings(**fields)
        store = RenderStore(chosen)
        service = RenderService(chosen, store, [executor], LocalStorage(chosen))
        running = Running(
            Batches(chosen, store, service, JoinStore(store, chosen.lease_ttl)), service, store, executor, []
        )

        async def witness(connection: AsyncConnection, tenant: str, batch: Batch, wish: WebhookWish | None) -> None:
            assert tenant == "t"
            assert wish is None
            assert (batch.finished_at is not None, batch.percent) == (True, 100)
            batch_id = batch.id
            assert (
                await connection.execute(select(batches.c.pending).where(batches.c.id == batch_id))
            ).scalars().all() == [0]
            running.ended.append(batch_id)

        running.batches.witnesses.append(witness)
        await service.start()
        try:
            async with asyncio.timeout(PATIENCE):
                yield running
        finally:
            await service.stop(grace=0)

    return run


def drafts(*seeds: int) -> list[Draft]:
    return [Draft(a_spec(seed=seed), metadata={"seed": seed}) for seed in seeds]


async def count(store: RenderStore, what: Any) -> int:
    async with store.database.read() as connection:
        found: int = (await connection.execute(select(func.count()).select_from(what))).scalar_one()
    return found


async def test_a_batch_from_its_beginning_to_its_end(start: Start) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(1, 2, 3, 4), tenant="t", metadata={"class": "5b"})
        assert (batch.size, batch.metadata, batch.percent) == (4, {"class": "5b"}, 0)
        first, second = await at.executor.begun.get(), await at.executor.begun.get()
        running = await at.until(batch, lambda found: found.counts[RenderStatus.running] == 2)
        assert (running.status, running.counts[RenderStatus.queued]) == ("running", 2)
        first.succeed()
        second.fail()
        for performance in (await at.executor.begun.get(), await at.executor.begun.get()):
            assert at.ended == []
            performance.succeed()
        done = await at.until(batch, lambda found: found.finished_at is not None)
        assert (done.status, done.percent) == ("partial", 100)
        assert (done.counts[RenderStatus.succeeded], done.counts[RenderStatus.failed]) == (3, 1)
        assert at.ended == [batch.id]
        items = await at.batches.items(batch.id, tenant="t")
        assert [(one.item, one.batch_id, one.metadata) for one in items] == [
            (index, batch.id, {"seed": index + 1}) for index in range(4)
        ]
        (failed,) = await at.batches.items(batch.id, tenant="t", statuses=[RenderStatus.failed])
        assert failed.id == second.render_id
        assert failed.error is not None
        page = await at.batches.items(batch.id, tenant="t", after=1, limit=1)
        assert [one.item for one in page] == [2]


@pytest.mark.parametrize(("fails", "status"), [(False, "succeeded"), (True, "failed")])
async def test_how_it_ends_is_how_its_renders_do(start: Start, *, fails: bool, status: str) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(1, 2), tenant="t")
        for performance in (await at.executor.begun.get(), await at.executor.begun.get()):
            if fails:
                performance.fail()
            else:
                performance.succeed()
        assert (await at.until(batch, lambda found: found.finished_at is not None)).status == status


async def test_equal_renders_of_a_batch_cost_one(start: Start) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(*[7] * 50), tenant="t")
        (await at.executor.begun.get()).succeed()
        done = await at.until(batch, lambda found: found.finished_at is not None)
        assert (done.status, done.counts[RenderStatus.succeeded]) == ("succeeded", 50)
        assert at.executor.begun.empty()
        assert at.ended == [batch.id]


async def test_there_is_room_for_all_or_none_is_taken(start: Start) -> None:
    async with start(batch_queue_limit=5, queue_limit=0) as at:
        for _ in range(2):
            await at.service.submit(a_spec(seed=100 + _), tenant="t")
        with pytest.raises(QueueFull):
            await at.batches.submit(drafts(*range(6)), tenant="t", key=RequestKey.of("k", {}))
        assert (await count(at.store, renders), await count(at.store, batches)) == (2, 0)
        batch = await at.batches.submit(drafts(*range(5)), tenant="t", key=RequestKey.of("k", {}))
        assert batch.size == 5, "with a key that nothing was taken for"
        with pytest.raises(QueueFull):
            await at.batches.submit(drafts(9), tenant="t")


async def test_what_waits_in_batches_takes_no_place_from_others(start: Start) -> None:
    async with start(queue_limit=1) as at:
        await at.batches.submit(drafts(*range(20)), tenant="t")
        await at.executor.begun.get()
        other = await at.service.submit(a_spec(seed=100), tenant="other")
        (await at.executor.begun.get()).succeed()
        performance = await at.executor.begun.get()
        assert performance.render_id == other.id, "the other tenant's only one is next"


async def test_a_key_is_the_same_batch(start: Start) -> None:
    async with start() as at:
        key = RequestKey.of("k", {"a": 1})
        batch = await at.batches.submit(drafts(1), tenant="t", key=key)
        with pytest.raises(KeyTakenError) as taken:
            await at.batches.submit(drafts(1), tenant="t", key=key)
        assert (taken.value.render_id, taken.value.is_same) == (batch.id, True)
        with pytest.raises(KeyTakenError) as taken:
            await at.service.submit(a_spec(), tenant="t", key=RequestKey.of("k", {"b": 1}))
        assert not taken.value.is_same
        assert await count(at.store, renders) == 1


async def test_cancel_ends_all_that_has_not_ended(start: Start) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(*range(10)), tenant="t")
        first, second = await at.executor.begun.get(), await at.executor.begun.get()
        first.succeed()
        await at.until(batch, lambda found: found.counts[RenderStatus.succeeded] == 1)
        done = await at.batches.cancel(batch.id, tenant="t")
        assert (done.status, done.percent) == ("canceled", 100)
        assert (done.counts[RenderStatus.succeeded], done.counts[RenderStatus.canceled]) == (1, 9)
        assert second.over.is_set()
        assert at.executor.running == 0
        assert at.ended == [batch.id]
        assert await at.batches.cancel(batch.id, tenant="t") == done


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer: nothing is meanwhile
async def test_cancel_ends_what_goes_back_to_the_queue_meanwhile(start: Start) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(1), tenant="t")
        render = (await at.executor.begun.get()).render_id
        engine = at.store.database._engine
        assert engine is not None
        looks = 0

        def looked(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            nonlocal looks
            if statement.startswith("SELECT renders.id") and "renders.batch_id =" in statement:
                looks += 1
                if looks == 1:
                    assert await_only(at.store.claims.put_back(render, 1))

        event.listen(engine.sync_engine, "after_cursor_execute", looked)
        done = await at.batches.cancel(batch.id, tenant="t")
        assert looks > 1
        assert (done.status, done.counts[RenderStatus.canceled]) == ("canceled", 1)
        assert at.ended == [batch.id]


async def test_cancel_ends_what_went_on_for_the_batch_alone(start: Start) -> None:
    async with start() as at:
        left = await at.service.submit(drafts(1)[0].spec, tenant="t")
        performance = await at.executor.begun.get()
        batch = await at.batches.submit(drafts(1, 1), tenant="t")
        await at.service.leave(left.id, tenant="t")
        assert (await at.service.wait(left.id, tenant="t", timeout=0)).status is RenderStatus.running
        await at.batches.cancel(batch.id, tenant="t")
        await performance.over.wait()
        assert (await at.service.wait(left.id, tenant="t")).status is RenderStatus.canceled


async def test_delete_leaves_nothing(start: Start, tmp_path: Path) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(*range(5)), tenant="t", key=RequestKey.of("k", {}))
        other = await at.batches.submit(drafts(50), tenant="t")
        (await at.executor.begun.get()).succeed()
        await at.until(batch, lambda found: found.counts[RenderStatus.succeeded] == 1)
        await at.batches.delete(batch.id, tenant="t")
        with pytest.raises(BatchNotFound):
            await at.batches.get(batch.id, tenant="t")
        await at.batches.delete(other.id, tenant="t")
        assert [await count(at.store, table) for table in (renders, batches, events)] == [0, 0, 0]
        assert not list((tmp_path / "data" / "videos").iterdir())
        again = await at.batches.submit(drafts(1), tenant="t", key=RequestKey.of("k", {}))
        assert again.id != batch.id


async def test_a_batch_is_deleted_by_one_of_many_once_nothing_of_it_runs(start: Start) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(1), tenant="t")
        performance = await at.executor.begun.get()
        performance.linger = asyncio.Event()
        (render,) = await at.batches.items(batch.id, tenant="t")
        await at.service.cancel(render.id, tenant="t", wait=False)
        deleting = [asyncio.create_task(at.batches.delete(batch.id, tenant="t")) for _ in range(5)]
        with at.service._feed.topic(render.id) as topic:
            await eventually(lambda: topic.users > 1, "one who waits for the end of the render")
        assert not any(task.done() for task in deleting)
        performance.linger.set()
        heard = await asyncio.gather(*deleting, return_exceptions=True)
        assert sorted(map(type, heard), key=repr) == sorted([type(None), *[BatchNotFound] * 4], key=repr)
        assert [await count(at.store, table) for table in (renders, batches, events)] == [0, 0, 0]


async def test_another_tenants_batch_does_not_exist(start: Start) -> None:
    async with start() as at:
        batch = await at.batches.submit(drafts(1), tenant="t")
        for attempt in (at.batches.get, at.batches.items, at.batches.cancel, at.batches.delete):
            with pytest.raises(BatchNotFound):
                await attempt(batch.id, tenant="other")  # type: ignore[operator]
        assert await at.batches.newest(tenant="other") == []
        assert await at.batches.newest(tenant="t") == [await at.batches.get(batch.id, tenant="t")]


async def test_thousands_are_one_transaction_and_each_is_told_of(start: Start) -> None:
    async with start() as at:
        at.executor.slots = 0
        batch = await at.batches.submit(drafts(*range(2000)), tenant="t")
        assert (batch.status, batch.counts[RenderStatus.queued]) == ("queued", 2000)
        assert await count(at.store, events) == 2000
        assert len(await at.store.claims.queued()) == 2000
        done = await at.batches.cancel(batch.id, tenant="t")
        assert done.counts[RenderStatus.canceled] == 2000
        assert at.ended == [batch.id]
