"""Videos and records that have lived long enough go, whoever sees to it, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from manimcast.renders import Render, RenderService, RenderStatus, RenderStore, retention
from manimcast.renders.retention import Retention
from manimcast.renders.table import renders, videos
from manimcast.settings import Settings
from tests.patience import PATIENCE, eventually

from .conftest import Serve
from .scripted import ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio


@pytest.fixture
def executor() -> ScriptedExecutor:
    executor = ScriptedExecutor()
    executor.fingerprint = {"manim": "0.22.0"}
    return executor


async def rendered(service: RenderService, executor: ScriptedExecutor, **fields: object) -> Render:
    render = await service.submit(a_spec(**fields), tenant="t")
    if not render.status.ended:
        (await executor.begun.get()).succeed()
    return await service.wait(render.id, tenant="t", timeout=PATIENCE)


async def failed(service: RenderService, executor: ScriptedExecutor, **fields: object) -> Render:
    render = await service.submit(a_spec(**fields), tenant="t")
    (await executor.begun.get()).fail()
    return await service.wait(render.id, tenant="t", timeout=PATIENCE)


async def age(service: RenderService, *aged: Render, seconds: float) -> None:
    """Let renders have ended so long ago."""
    async with service._store.database.write() as connection:
        ended = {"finished_at": datetime.now(UTC) - timedelta(seconds=seconds)}
        await connection.execute(update(renders).where(renders.c.id.in_([one.id for one in aged])).values(ended))


async def sweep(service: RenderService) -> None:
    """Go one round; those that the service itself goes are further apart than a test takes."""
    await service._retention.sweep()


def stored(folder: Path) -> int:
    return len(list((folder / "data" / "videos").rglob("*.mp4")))


async def test_by_default_everything_is_kept(serve: Serve, executor: ScriptedExecutor, tmp_path: Path) -> None:
    async with serve() as service:
        old = [await rendered(service, executor), await failed(service, executor, seed=1)]
        await age(service, *old, seconds=1e9)
        await sweep(service)
        for render in old:
            assert await service.get(render.id, tenant="t") is not None
        assert stored(tmp_path) == 1


async def test_a_video_expires_and_its_record_says_when(
    serve: Serve, executor: ScriptedExecutor, tmp_path: Path
) -> None:
    async with serve(video_ttl=1000) as service:
        old, young = await rendered(service, executor), await rendered(service, executor, seed=1)
        await age(service, old, seconds=1001)
        await sweep(service)
        gone, there = [await service.get(render.id, tenant="t") for render in (old, young)]
        assert gone is not None
        assert there is not None
        assert gone.result is not None
        assert there.result is not None
        assert gone.status is RenderStatus.succeeded
        assert gone.result.expired_at is not None
        assert await service.expired(gone.result.place) == gone.result.expired_at
        assert await service.file(gone.result.place, "video.mp4") is None
        assert there.result.expired_at is None
        assert stored(tmp_path) == 1
        await sweep(service)
        assert await service.get(old.id, tenant="t") == gone, "it expires once"


async def test_a_video_is_there_as_long_as_a_younger_render_shows_it(
    serve: Serve, executor: ScriptedExecutor, tmp_path: Path
) -> None:
    async with serve(video_ttl=1000) as service:
        first = await rendered(service, executor)
        again = await rendered(service, executor)
        assert again.cache.hit == "result"
        await age(service, first, seconds=1001)
        await sweep(service)
        assert stored(tmp_path) == 1
        assert (await rendered(service, executor)).cache.hit == "result"
        await service.delete(first.id, tenant="t")
        assert stored(tmp_path) == 1, "what has expired is not counted off again"


async def test_records_go_and_failed_ones_by_a_time_of_their_own(
    serve: Serve, executor: ScriptedExecutor, tmp_path: Path
) -> None:
    async with serve(record_ttl=1000, failed_ttl=100) as service:
        kept = [await rendered(service, executor), await failed(service, executor, seed=1)]
        going = [await rendered(service, executor, seed=2), await failed(service, executor, seed=3)]
        waiting = await service.submit(a_spec(seed=4), tenant="t")
        await age(service, kept[0], seconds=900)
        await age(service, kept[1], seconds=90)
        await age(service, going[0], seconds=1001)
        await age(service, going[1], seconds=101)
        await sweep(service)
        for render in kept:
            assert await service.get(render.id, tenant="t") is not None
        for render in going:
            assert await service.get(render.id, tenant="t") is None
        assert stored(tmp_path) == 1
        await executor.begun.get()
        await service.cancel(waiting.id, tenant="t")


async def test_a_round_is_bounded(serve: Serve, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    async with serve(record_ttl=1000) as service:
        old = [await failed(service, executor, seed=number) for number in range(5)]
        await age(service, *old, seconds=2000)
        left = []
        for _ in range(3):
            await sweep(service)
            left.append(sum([await service.get(render.id, tenant="t") is not None for render in old]))
        assert left == [3, 1, 0]


async def test_one_service_at_a_time_goes_round(serve: Serve, settings: Callable[..., Settings]) -> None:
    async with serve() as service:
        its_own = service._lifecycle._retaining
        assert its_own is not None
        its_own.cancel()
        await asyncio.wait({its_own})
        async with service._store.database.write() as connection:
            await connection.execute(retention.chores.delete())
        stores = [RenderStore(settings()) for _ in range(4)]
        for store in stores:
            await store.open()
        rounds = [Retention(settings(), store, service._storage) for store in stores]
        assert sum(await asyncio.gather(*(one._is_ours() for one in rounds))) == 1
        assert sum(await asyncio.gather(*(one._is_ours() for one in rounds))) == 0
        async with service._store.database.write() as connection:
            await connection.execute(update(retention.chores).values(until=0))
        assert sum(await asyncio.gather(*(one._is_ours() for one in rounds))) == 1
        for store in stores:
            await store.close()


async def test_files_that_the_dead_were_about_to_remove_are_removed(
    serve: Serve, executor: ScriptedExecutor, tmp_path: Path
) -> None:
    async with serve() as service:
        await rendered(service, executor)
        async with service._store.database.write() as connection:
            await connection.execute(update(videos).values(shown=0))
        assert (await rendered(service, executor)).cache.hit == "result", "from the cache, into a place of its own"
        assert stored(tmp_path) == 2
        await sweep(service)
        assert stored(tmp_path) == 1


async def test_a_fault_does_not_end_the_rounds(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = 0

    async def sweep(_self: Retention) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise PermissionError("a video that cannot be removed")

    monkeypatch.setattr(Retention, "sweep", sweep)
    async with serve(video_ttl=1) as service:
        service._retention._pause = 0.01
        await eventually(lambda: rounds > 1, "the next round")
    assert "a video that cannot be removed" in caplog.text
