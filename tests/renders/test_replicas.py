"""Several services on one database: one queue, one render at a time each, and nobody's render is lost or run twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from manimcast.renders import Render, RenderService, RenderStatus, RenderStore
from manimcast.renders.rows import NewRender
from manimcast.renders.table import renders
from manimcast.settings import Settings
from manimcast.storage import LocalStorage

from .listening import heard, reaches
from .scripted import GREETING, VIDEO, Performance, ScriptedExecutor, a_report, a_spec, at, played

pytestmark = pytest.mark.anyio

Replica = Callable[[str], contextlib.AbstractAsyncContextManager[tuple[RenderService, ScriptedExecutor]]]


@pytest.fixture
def replica(settings: Callable[..., Settings], database_url: str | None) -> Replica:
    """Return a function that runs a service, with an executor of its name; all have one folder and one database."""

    @contextlib.asynccontextmanager
    async def run(name: str) -> AsyncIterator[tuple[RenderService, ScriptedExecutor]]:
        executor = ScriptedExecutor(name)
        chosen = settings()
        service = RenderService(chosen, RenderStore(chosen), [executor], LocalStorage(chosen))
        await service.start()
        try:
            async with asyncio.timeout(100):
                yield service, executor
        finally:
            await service.stop(grace=0)

    return run


async def first_of(*executors: ScriptedExecutor) -> tuple[ScriptedExecutor, Performance]:
    """Return the next render that any of them begins."""
    waiting = {asyncio.create_task(executor.begun.get()): executor for executor in executors}
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    found = done.pop()
    for task in done:  # both at once: the other one's is put back
        waiting[task].begun.put_nowait(task.result())
    return waiting[found], found.result()


async def ended(service: RenderService, render: Render) -> Render:
    result = await service.wait(render.id, tenant="t", timeout=60)
    assert result.status.ended
    return result


def silence(service: RenderService) -> None:
    """Let a service renew no leases any more, as if its host had lost the network."""
    keeping = service._worker._tenure._keeping
    assert keeping is not None
    keeping.cancel()


async def expire(settings: Settings, render_id: str) -> None:
    """Have the lease of a render run out, as if its owner had been silent for long."""
    store = RenderStore(settings)
    await store.open()
    async with store.database.write() as connection:
        await connection.execute(update(renders).where(renders.c.id == render_id).values(lease_until=0))
    await store.close()


async def test_two_services_share_one_queue(replica: Replica) -> None:
    async with replica("one") as (one, first), replica("two") as (two, second):
        submitted = [await one.submit(a_spec(), tenant="t") for _ in range(2)]
        begun = await asyncio.gather(first.begun.get(), second.begun.get())
        assert {performance.render_id for performance in begun} == {render.id for render in submitted}
        assert await two.queue_depth() == (0, 2)
        for performance in begun:
            performance.succeed()
        for render in submitted:
            for service in (one, two):
                done = await ended(service, render)
                assert (done.status, done.attempt) == (RenderStatus.succeeded, 1)


async def test_what_one_runs_is_heard_through_the_other(replica: Replica) -> None:
    async with replica("one") as (one, first), replica("two") as (two, second):
        render = await one.submit(a_spec(), tenant="t")
        where, performance = await first_of(first, second)
        other = two if where is first else one
        listening = other.events(render.id, tenant="t")
        performance.say(*GREETING, at(30))
        assert ("running", where.name, 1) in await reaches(listening, ("progress", 0, 30))
        performance.say(at(100), played(0))
        performance.succeed()
        assert ("segment", 0, 30) in await reaches(listening, ("succeeded",))
        assert await heard(one, render.id) == await heard(two, render.id)


async def test_canceling_through_another_returns_when_nothing_runs_any_more(replica: Replica) -> None:
    async with replica("one") as (one, first), replica("two") as (two, second):
        render = await one.submit(a_spec(), tenant="t")
        where, performance = await first_of(first, second)
        other = two if where is first else one
        performance.linger = asyncio.Event()
        canceling = asyncio.create_task(other.cancel(render.id, tenant="t"))
        assert (await other.cancel(render.id, tenant="t", wait=False)).status is RenderStatus.canceled
        late = asyncio.create_task(other.cancel(render.id, tenant="t"))  # when it counts as canceled already
        performance.linger.set()
        for waiting in (canceling, late):
            assert (await waiting).status is RenderStatus.canceled
            assert performance.over.is_set()
        assert where.running == 0


async def test_a_render_whose_lease_ran_out_is_taken_over_and_the_late_result_refused(
    replica: Replica, settings: Callable[..., Settings], tmp_path: Path
) -> None:
    async with replica("one") as (one, first), replica("two") as (two, second):
        render = await one.submit(a_spec(), tenant="t")
        where, performance = await first_of(first, second)
        silent, other = (one, second) if where is first else (two, first)
        where.unavailable = "it is to be the other"
        performance.linger = asyncio.Event()  # it goes on although it has lost the render
        silence(silent)
        await expire(settings(), render.id)
        again = await other.begun.get()
        assert again.render_id == render.id
        again.succeed()
        for service in (one, two):
            done = await ended(service, render)
            assert (done.status, done.attempt, done.executor) == (RenderStatus.succeeded, 2, other.name)
            assert done.result is not None
            assert LocalStorage(settings()).path(done.result.place, "video.mp4").read_bytes() == VIDEO
            place = done.result.place
        performance.succeed()
        performance.linger.set()
        await performance.over.wait()
        assert [path.name for path in (tmp_path / "data" / "videos").iterdir()] == [place]


async def test_many_renders_on_three_services_each_run_once(replica: Replica) -> None:
    async with replica("one") as (one, first), replica("two") as (two, second), replica("three") as (three, third):
        submitted = [await service.submit(a_spec(), tenant="t") for service in (one, two, three) for _ in range(8)]
        ran: list[str] = []

        async def perform(executor: ScriptedExecutor) -> None:
            while True:
                performance = await executor.begun.get()
                ran.append(performance.render_id)
                performance.succeed()

        performing = [asyncio.create_task(perform(executor)) for executor in (first, second, third)]
        for number, render in enumerate(submitted):
            done = await ended((one, two, three)[number % 3], render)
            assert (done.status, done.attempt) == (RenderStatus.succeeded, 1)
        for task in performing:
            task.cancel()
        assert sorted(ran) == sorted(render.id for render in submitted)


async def test_who_leaves_removes_what_the_attempts_stored_that_it_puts_back(
    replica: Replica, settings: Callable[..., Settings], tmp_path: Path
) -> None:
    chosen = settings()
    store, storage = RenderStore(chosen), LocalStorage(chosen)
    async with contextlib.AsyncExitStack() as stack:
        async with replica("one") as (one, _):
            silence(one)
            await store.open()
            stack.push_async_callback(store.close)
            owner = one._worker._owner.name
            await store.admission.insert_running(NewRender("rnd_1", "t", a_spec()), owner=owner, executor="other")
            await storage.start()
            stack.push_async_callback(storage.stop)
            (tmp_path / "made").mkdir()
            (tmp_path / "made" / "video.mp4").write_bytes(VIDEO)
            await storage.put("rnd_1", tmp_path / "made", a_report())
        render = await store.get("rnd_1")
        assert render is not None
        assert render.status is RenderStatus.queued
        assert list((tmp_path / "data" / "videos").iterdir()) == []
