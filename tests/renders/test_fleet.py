"""Services in roles: one takes requests and runs nothing, others run, and each knows of the others what it must."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import select, update

from manimcast.renders import NoExecutor, QueueFull, RenderService, RenderStatus, RenderStore, stranded
from manimcast.renders.table import services
from manimcast.settings import Role, Settings
from manimcast.storage import LocalStorage
from tests.patience import PATIENCE, eventually

from .scripted import ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio

Start = Callable[..., contextlib.AbstractAsyncContextManager[RenderService]]


@pytest.fixture
def start(settings: Callable[..., Settings]) -> Start:
    """Return a function that runs a service of a role with these executors; all share a folder and a database."""

    @contextlib.asynccontextmanager
    async def run(role: Role, *executors: ScriptedExecutor, **fields: object) -> AsyncIterator[RenderService]:
        chosen = settings(role=role, lease_ttl=3, **fields)
        service = RenderService(chosen, RenderStore(chosen), executors, LocalStorage(chosen))
        await service.start()
        try:
            async with asyncio.timeout(PATIENCE):
                yield service
        finally:
            await service.stop(grace=0)

    return run


async def test_what_an_api_takes_a_worker_renders(start: Start) -> None:
    executor = ScriptedExecutor()
    async with start(Role.api) as api, start(Role.worker, executor):
        render = await api.submit(a_spec(), tenant="t")
        assert render.queue_position == 1 or render.status is RenderStatus.running
        (await executor.begun.get()).succeed()
        ended = await api.wait(render.id, tenant="t", timeout=PATIENCE)
        assert (ended.status, ended.executor, ended.attempt) == (RenderStatus.succeeded, "scripted", 1)


async def test_without_a_living_worker_nothing_is_taken(start: Start) -> None:
    async with start(Role.api) as api:
        with pytest.raises(NoExecutor, match=r"none that renders is alive.*--role worker"):
            await api.submit(a_spec(), tenant="t")
        async with start(Role.worker, ScriptedExecutor()):
            await api.submit(a_spec(), tenant="t")
        with pytest.raises(NoExecutor, match="none that renders is alive"):  # it has said that it leaves
            await api.submit(a_spec(), tenant="t")
        assert await api.queue_depth() == (1, 0)


async def test_a_worker_that_is_silent_is_dead_after_a_while(start: Start) -> None:
    async with start(Role.api) as api, start(Role.worker, ScriptedExecutor()) as silent:
        await api.submit(a_spec(), tenant="t")
        keeping = silent._worker._tenure._keeping
        assert keeping is not None
        keeping.cancel()
        async with silent._store.database.write() as connection:
            mine = services.c.name == silent._worker._owner.name
            await connection.execute(update(services).where(mine).values(seen=services.c.seen - 3))

        async def refuses() -> bool:
            try:
                await api.submit(a_spec(), tenant="t")
            except NoExecutor:
                return True
            return False

        await eventually(refuses, "that the api has looked again")


async def test_an_api_admits_as_many_as_all_workers_run_and_may_wait(start: Start) -> None:
    first, second = ScriptedExecutor(slots=2), ScriptedExecutor(slots=1)
    async with (
        start(Role.worker, first),
        start(Role.worker, second),
        start(Role.api, queue_limit=1) as api,
    ):
        assert api.slots == 3
        assert [(offer.name, offer.slots) for offer in api.offers()] == [("scripted", 3)]
        for _ in range(4):
            await api.submit(a_spec(), tenant="t")
        with pytest.raises(QueueFull) as full:
            await api.submit(a_spec(), tenant="t")
        assert 1 <= full.value.retry_after <= 300


async def test_a_worker_leaves_to_others_what_only_they_can_run(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranded, "PATIENCE", 0)  # whatever nobody can run ends at once
    local, modal = ScriptedExecutor("local"), ScriptedExecutor("modal")
    async with start(Role.worker, modal), start(Role.worker, local), start(Role.api) as api:
        assert {offer.name for offer in api.offers()} == {"local", "modal"}
        render = await api.submit(a_spec(), tenant="t", executor="modal")
        (await modal.begun.get()).succeed()
        ended = await api.wait(render.id, tenant="t", timeout=PATIENCE)
        assert (ended.status, ended.executor) == (RenderStatus.succeeded, "modal")
        assert local.begun.empty()


async def test_an_executor_that_is_down_in_one_worker_is_up_while_it_is_in_another(start: Start) -> None:
    down, up = ScriptedExecutor(), ScriptedExecutor()
    down.unavailable = "it is down here"
    async with start(Role.worker, down), start(Role.worker, up), start(Role.api) as api:
        render = await api.submit(a_spec(), tenant="t")
        (await up.begun.get()).succeed()
        assert (await api.wait(render.id, tenant="t", timeout=PATIENCE)).status is RenderStatus.succeeded
        assert (api.slots, api.offers()[0].status.available) == (1, True)


async def test_each_is_noted_with_its_role_until_it_leaves(start: Start, settings: Callable[..., Settings]) -> None:
    store = RenderStore(settings())
    await store.open()

    async def noted() -> list[str]:
        async with store.database.read() as connection:
            return sorted((await connection.execute(select(services.c.role))).scalars())

    async with start(Role.api), start(Role.worker, ScriptedExecutor()):
        assert await noted() == ["api", "worker"]
    assert await noted() == []
    await store.close()
