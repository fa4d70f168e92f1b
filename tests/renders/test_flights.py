"""Equal requests at once cost one render, in however many services; and who may end that one by leaving."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest
from sqlalchemy import func, select

from manimcast.executors.base import ExecutorError
from manimcast.renders import QueueFull, Render, RenderService, RenderStatus, RenderStore
from manimcast.renders.table import renders, videos
from manimcast.settings import Role, Settings
from manimcast.spec import ErrorCode
from manimcast.storage import LocalStorage
from manimcast.wire import Played
from tests.patience import PATIENCE

from .scripted import GREETING, Performance, ScriptedExecutor, a_spec, at

pytestmark = pytest.mark.anyio

Start = Callable[..., contextlib.AbstractAsyncContextManager[RenderService]]


@pytest.fixture
def start(settings: Callable[..., Settings]) -> Start:
    """Return a function that runs a service with these executors; all share a folder and a database."""

    @contextlib.asynccontextmanager
    async def run(*executors: ScriptedExecutor, **fields: object) -> AsyncIterator[RenderService]:
        chosen = settings(**fields)
        service = RenderService(chosen, RenderStore(chosen), executors, LocalStorage(chosen))
        await service.start()
        try:
            async with asyncio.timeout(2 * PATIENCE):
                yield service
        finally:
            await service.stop(grace=0)

    return run


def executor() -> ScriptedExecutor:
    made = ScriptedExecutor(slots=2)
    made.fingerprint = {"manim": "0.22.0"}
    return made


async def first_of(*executors: ScriptedExecutor) -> Performance:
    """Return what any of them begins."""
    waiting = [asyncio.create_task(one.begun.get()) for one in executors]
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    return done.pop().result()


async def ended(service: RenderService, render: Render) -> Render:
    result = await service.wait(render.id, tenant="t", timeout=PATIENCE)
    assert result.status.ended
    return result


async def test_hundreds_of_equal_requests_through_three_services_cost_one_render(start: Start) -> None:
    one, two = executor(), executor()
    async with start(one) as first, start(two) as second, start(role=Role.api) as third:
        services = (first, second, third)
        submitted = [await services[number % 3].submit(a_spec(), tenant="t") for number in range(300)]
        performance = await first_of(one, two)
        other = await third.submit(a_spec(seed=2), tenant="t")
        assert other.queue_position in {None, 1}, "those that wait for the same take no place"
        apart = await first_of(one, two)
        assert apart.render_id == other.id
        performance.say(*GREETING, at(100))
        performance.succeed()
        for number, render in enumerate(submitted):
            done = await ended(services[number % 3], render)
            assert (done.status, done.attempt, done.executor) == (RenderStatus.succeeded, 1, "scripted")
            assert done.cache.hit == ("none" if render.id == performance.render_id else "result")
        apart.succeed()
        await ended(third, other)
        assert one.begun.empty()
        assert two.begun.empty()
        async with first._store.database.read() as connection:
            counted = (await connection.execute(select(videos.c.shown).order_by(videos.c.shown))).scalars().all()
            assert counted == [1, 300]


async def test_of_claims_at_once_one_begins(settings: Callable[..., Settings], start: Start) -> None:
    async with start(role=Role.api) as api, start(busy := executor()) as _:
        busy.slots = 0  # the test claims
        submitted = [await api.submit(a_spec(), tenant="t") for _ in range(6)]
        stores = [RenderStore(settings()) for _ in range(3)]
        for store in stores:
            await store.open()
        claims = await asyncio.gather(
            *(store.claims.take(render.id, owner="me", executor="x") for store in stores for render in submitted)
        )
        assert sum(claim is not None for claim in claims) == 1
        for store in stores:
            await store.close()


async def test_those_that_wait_elsewhere_are_told_of_each_play(start: Start) -> None:
    one = executor()
    async with start(one) as renders_it, start(role=Role.api) as api:
        await renders_it.submit(a_spec(), tenant="t")
        performance = await one.begun.get()
        waits = await api.submit(a_spec(), tenant="t")
        performance.say(*GREETING, at(100), Played(index=0, kind="Wait", frames=30, duration=1))
        performance.succeed()
        async with aclosing(api.events(waits.id, tenant="t")) as news:
            heard = [event async for event in news]
        types = ["queued", "running", "segment", "progress", "succeeded"]
        assert [event.type.value for event in heard] == types
        assert [event.number for event in heard] == [1, 2, 3, 4, 5]
        assert heard[1].data == {"executor": "scripted"}
        assert (heard[2].data["animation_index"], heard[2].data["frames"]) == (0, 30)
        assert heard[3].data["percent"] == 100


async def test_a_scene_that_fails_is_not_tried_for_each(start: Start) -> None:
    one = executor()
    async with start(one) as service:
        submitted = [await service.submit(a_spec(), tenant="t") for _ in range(3)]
        (await one.begun.get()).fail(ErrorCode.exception)
        for render in submitted:
            done = await ended(service, render)
            assert (done.status, done.attempt) == (RenderStatus.failed, 1)
            assert done.error is not None
            assert done.error.code is ErrorCode.exception
        assert one.begun.empty()
        again = await service.submit(a_spec(), tenant="t")  # later it is tried again
        (await one.begun.get()).succeed()
        assert (await ended(service, again)).status is RenderStatus.succeeded


async def test_when_the_service_fails_the_next_one_is_tried(start: Start) -> None:
    one = executor()
    async with start(one) as service:
        first, second = [await service.submit(a_spec(), tenant="t") for _ in range(2)]
        (await one.begun.get()).break_off(ExecutorError("it broke", again=False))
        assert (await ended(service, first)).status is RenderStatus.failed
        (await one.begun.get()).succeed()
        assert (await ended(service, second)).status is RenderStatus.succeeded


async def test_who_leaves_ends_the_render_only_as_the_last_one(start: Start) -> None:
    one = executor()
    async with start(one) as service, start(role=Role.api) as api:
        first = await service.submit(a_spec(), tenant="t")
        performance = await one.begun.get()
        second, third = [await api.submit(a_spec(), tenant="t") for _ in range(2)]
        await service.leave(first.id, tenant="t")
        await api.leave(second.id, tenant="t")
        statuses = [(await api.get(render.id, tenant="t")).status for render in (first, second, third)]  # type: ignore[union-attr]
        assert statuses == [RenderStatus.running, RenderStatus.canceled, RenderStatus.queued]
        assert not performance.over.is_set()
        await api.leave(third.id, tenant="t")
        await performance.over.wait()
        for render in (first, second, third):
            assert (await ended(api, render)).status is RenderStatus.canceled
        assert one.begun.empty()


async def test_a_render_that_nobody_waits_for_at_a_connection_goes_on(start: Start) -> None:
    one = executor()
    async with start(one) as service:
        blocking = await service.submit(a_spec(), tenant="t")
        performance = await one.begun.get()
        asynchronous = await service.submit(a_spec(), tenant="t")
        await service.leave(blocking.id, tenant="t")
        performance.succeed()
        assert (await ended(service, asynchronous)).status is RenderStatus.succeeded
        assert (await ended(service, blocking)).status is RenderStatus.succeeded


async def test_an_explicit_cancel_is_one_and_the_next_is_rendered(start: Start) -> None:
    one = executor()
    async with start(one) as service:
        first, second = [await service.submit(a_spec(), tenant="t") for _ in range(2)]
        performance = await one.begun.get()
        assert (await service.cancel(first.id, tenant="t")).status is RenderStatus.canceled
        assert performance.over.is_set()
        (await one.begun.get()).succeed()
        assert (await ended(service, second)).status is RenderStatus.succeeded


async def test_equal_requests_are_bounded_on_their_own(start: Start) -> None:
    one = executor()
    async with start(one, queue_limit=0, flight_limit=5) as service:
        one.slots = 1
        for _ in range(5):
            await service.submit(a_spec(), tenant="t")
        for seed in (0, 1):
            with pytest.raises(QueueFull):
                await service.submit(a_spec(seed=seed), tenant="t")
        async with service._store.database.read() as connection:
            assert (await connection.execute(select(func.count()).select_from(renders))).scalar_one() == 5


async def test_requests_with_another_timeout_or_another_tenant_wait_for_nobody(start: Start) -> None:
    one = executor()
    one.slots = 3
    async with start(one) as service:
        await service.submit(a_spec(), tenant="t")
        await service.submit(a_spec(timeout=5), tenant="t")
        await service.submit(a_spec(), tenant="other")
        # All begin before one ends: what begins later may show what was kept of that.
        for begun in [await one.begun.get() for _ in range(3)]:
            begun.succeed()
