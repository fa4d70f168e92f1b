"""What the disk and the database do to a render when they fail it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from manimcast.database import DatabaseError, connection
from manimcast.renders import Render, RenderService, RenderStatus, attempt
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, RenderReport
from manimcast.storage import LocalStorage, NoSuchFile, StoredResult
from tests.patience import PATIENCE, eventually

from .conftest import Serve
from .scripted import GREETING, ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio

BUSY_SECONDS = 1.0
"""How long the service waits for its database: what holds it up in these tests is there for longer."""


async def ended(service: RenderService, render: Render) -> Render:
    result = await service.wait(render.id, tenant="t", timeout=PATIENCE)
    assert result.status.ended
    return result


def left(folder: Path) -> list[Path]:
    """Return what lies about of any render."""
    places = [*(folder / "data" / "videos").glob("*"), *(folder / "data" / "work").glob("*/*")]
    return [path for path in places if path.exists()]


SQLITE = pytest.mark.parametrize("database_url", [None], ids=["sqlite"])
"""For what is done to the database's file."""


@asynccontextmanager
async def locked(database: Path) -> AsyncIterator[None]:
    """Keep the service from writing its database, as another program could."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as connection:

        def is_ours() -> bool:
            with suppress(sqlite3.OperationalError):  # the service writes, and needs this loop to end that
                connection.execute("BEGIN IMMEDIATE")
            return connection.in_transaction

        await eventually(is_ours, "a moment in which nothing is written")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("folder", ["videos", "work"])
async def test_a_folder_that_cannot_be_written_fails_the_render_in_plain_words(
    tmp_path: Path, service: RenderService, executor: ScriptedExecutor, folder: str
) -> None:
    place = tmp_path / "data" / folder
    if folder == "videos":
        render = await service.submit(a_spec(), tenant="t")
        performance = await executor.begun.get()
        shutil.rmtree(place)
        place.write_bytes(b"")
        performance.succeed()
    else:
        place.write_bytes(b"")
        render = await service.submit(a_spec(), tenant="t")
    done = await ended(service, render)
    assert (done.status, done.attempt, done.result) == (RenderStatus.failed, 1, None)
    assert done.error is not None
    assert done.error.code is ErrorCode.internal
    assert "could not be" in done.error.message
    assert "Not a directory" in done.error.message
    assert not left(tmp_path)

    place.unlink()
    place.mkdir()
    again = await service.submit(a_spec(), tenant="t")
    (await executor.begun.get()).succeed()
    assert (await ended(service, again)).status is RenderStatus.succeeded


async def test_a_report_of_files_that_are_not_there_fails_the_render(
    tmp_path: Path, service: RenderService, executor: ScriptedExecutor
) -> None:
    render = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    performance.succeed()
    (performance.into / "video.mp4").unlink()
    done = await ended(service, render)
    assert done.status is RenderStatus.failed
    assert done.error is not None
    assert "video.mp4 that it did not write" in done.error.message
    assert not left(tmp_path)


class PausingStorage(LocalStorage):
    """The local storage, which says when it has stored something and lets the test go first."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.stored = asyncio.Event()
        self.go_on = asyncio.Event()

    async def put(self, render_id: str, directory: Path, report: RenderReport) -> StoredResult:
        result = await super().put(render_id, directory, report)
        self.stored.set()
        await self.go_on.wait()
        return result


async def test_a_video_that_comes_too_late_for_a_cancel_is_removed(
    tmp_path: Path, serve: Serve, executor: ScriptedExecutor
) -> None:
    storage = PausingStorage(Settings(_env_file=None, data_dir=tmp_path / "data"))
    async with serve(storage=storage) as service:
        render = await service.submit(a_spec(), tenant="t")
        (await executor.begun.get()).succeed()
        await storage.stored.wait()
        assert storage.path(render.id, "video.mp4").exists()
        assert (await service.cancel(render.id, tenant="t", wait=False)).status is RenderStatus.canceled
        storage.go_on.set()
        done = await service.cancel(render.id, tenant="t")
        assert (done.status, done.result) == (RenderStatus.canceled, None)
        with pytest.raises(NoSuchFile):
            storage.path(render.id, "video.mp4")


@SQLITE
async def test_an_end_is_written_as_soon_as_the_database_can_be_written_again(
    tmp_path: Path,
    serve: Serve,
    executor: ScriptedExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = asyncio.Event()
    monkeypatch.setattr(attempt.logger, "error", lambda *_: heard.set())
    monkeypatch.setattr(connection, "BUSY_TIMEOUT", BUSY_SECONDS)
    monkeypatch.setattr(attempt, "WRITE_PAUSES", (0.02,) * 1000)
    async with serve() as service:
        render = await service.submit(a_spec(), tenant="t")
        performance = await executor.begun.get()
        async with locked(tmp_path / "data" / "manimcast.db"):
            with pytest.raises(DatabaseError, match="locked"):
                await service.submit(a_spec(), tenant="t")
            performance.say(*GREETING)
            performance.succeed()
            await heard.wait()
        assert (await ended(service, render)).status is RenderStatus.succeeded


@SQLITE
async def test_an_end_that_cannot_be_written_is_none_and_the_next_start_tries_again(
    tmp_path: Path, serve: Serve, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []
    monkeypatch.setattr(attempt.logger, "error", lambda *_: tried.append(_))
    monkeypatch.setattr(connection, "BUSY_TIMEOUT", BUSY_SECONDS)
    monkeypatch.setattr(attempt, "WRITE_PAUSES", (0.02,))
    async with contextlib.AsyncExitStack() as stack, serve() as service:
        render = await service.submit(a_spec(), tenant="t")
        performance = await executor.begun.get()
        await stack.enter_async_context(locked(tmp_path / "data" / "manimcast.db"))
        performance.succeed()
        await eventually(lambda: len(tried) > 3, "tries to write the end")
        shown = await service.get(render.id, tenant="t")
        assert shown is not None
        assert (shown.status, shown.error) == (RenderStatus.running, None), "nobody is told what may not last"
    async with serve() as service:
        (await executor.begun.get()).succeed()
        done = await ended(service, render)
        assert (done.status, done.attempt) == (RenderStatus.succeeded, 2)
        videos = tmp_path / "data" / "videos"
        await eventually(lambda: len(list(videos.iterdir())) == 1, "only the video that is shown")


@SQLITE
@pytest.mark.parametrize("leaving", ["delete", "cancel"])
async def test_a_render_whose_end_was_not_written_can_be_ended_for_good(
    tmp_path: Path, serve: Serve, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch, leaving: str
) -> None:
    """It goes on trying to write that it succeeded, and is refused."""
    tried = asyncio.Event()
    monkeypatch.setattr(attempt.logger, "error", lambda *_: tried.set())
    monkeypatch.setattr(connection, "BUSY_TIMEOUT", BUSY_SECONDS)
    monkeypatch.setattr(attempt, "WRITE_PAUSES", (1000.0,))
    async with serve(lease_ttl=1000) as service:
        render = await service.submit(a_spec(), tenant="t")
        performance = await executor.begun.get()
        async with locked(tmp_path / "data" / "manimcast.db"):
            performance.succeed()
            await tried.wait()
        await (service.delete if leaving == "delete" else service.cancel)(render.id, tenant="t")
        assert await service.queue_depth() == (0, 0)
        assert left(tmp_path) == []
    async with serve() as service:
        found = await service.get(render.id, tenant="t")
        assert (found and found.status) == (None if leaving == "delete" else RenderStatus.canceled)
        assert executor.begun.empty()
