"""Videos that several renders show: one copy in the storage, which goes with the last of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from manimcast.renders import Render, RenderService, RenderStatus, RenderStore
from manimcast.renders.table import videos
from manimcast.settings import Role, Settings
from manimcast.storage import from_settings
from tests.buckets import BucketServer
from tests.patience import PATIENCE

from .scripted import ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio

Start = Callable[..., contextlib.AbstractAsyncContextManager[RenderService]]


@dataclass
class Place:
    """A storage that several services share: its settings, and how many files it has."""

    settings: dict[str, Any]
    files: Callable[[], int]


@pytest.fixture(params=["local", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each of the two kinds of storage."""
    if request.param == "local":
        return Place({}, lambda: len(list((tmp_path / "data" / "videos").rglob("*.mp4"))))
    bucket = request.getfixturevalue("bucket")
    assert isinstance(bucket, BucketServer)
    return Place(bucket.settings(), lambda: len(bucket.objects()))


@pytest.fixture
def start(settings: Callable[..., Settings], place: Place) -> Start:
    """Return a function that runs a service with these executors; all share a database and a storage."""

    @contextlib.asynccontextmanager
    async def run(*executors: ScriptedExecutor, **fields: object) -> AsyncIterator[RenderService]:
        chosen = settings(**place.settings, **fields)
        service = RenderService(chosen, RenderStore(chosen), executors, from_settings(chosen))
        await service.start()
        try:
            async with asyncio.timeout(PATIENCE):
                yield service
        finally:
            await service.stop(grace=0)

    return run


@pytest.fixture
def executor() -> ScriptedExecutor:
    executor = ScriptedExecutor()
    executor.fingerprint = {"manim": "0.22.0"}
    return executor


async def rendered(service: RenderService, executor: ScriptedExecutor, others: int) -> list[Render]:
    """Return renders that show one video: the one that made it, and ``others`` for the same request again."""
    first = await service.submit(a_spec(), tenant="t")
    (await executor.begun.get()).succeed()
    first = await service.wait(first.id, tenant="t", timeout=PATIENCE)
    found = [first, *[await service.submit(a_spec(), tenant="t") for _ in range(others)]]
    for render in found:
        assert render.status is RenderStatus.succeeded
        assert render.result is not None
        assert first.result is not None
        assert render.result.place == first.result.place
    return found


async def test_the_video_is_there_until_the_last_is_deleted(
    start: Start, place: Place, executor: ScriptedExecutor
) -> None:
    async with start(executor) as service, start(role=Role.api) as other:
        shown = await rendered(service, executor, 3)
        for number, render in enumerate(shown):
            assert place.files() == 1
            await (service, other)[number % 2].delete(render.id, tenant="t")
        assert place.files() == 0


async def test_deletes_at_once_in_several_services_remove_it_once_and_not_too_early(
    start: Start, place: Place, executor: ScriptedExecutor
) -> None:
    async with start(executor) as one, start(role=Role.api) as two, start(role=Role.api) as three:
        shown = await rendered(one, executor, 11)
        last, *others = shown
        services = (one, two, three)
        await asyncio.gather(
            *(services[number % 3].delete(render.id, tenant="t") for number, render in enumerate(others))
        )
        assert place.files() == 1
        again = await two.submit(a_spec(), tenant="t")
        assert again.cache.hit == "result"
        await asyncio.gather(one.delete(last.id, tenant="t"), two.delete(again.id, tenant="t"))
        assert place.files() == 0
        async with one._store.database.read() as connection:
            assert (await connection.execute(select(videos))).all() == []
