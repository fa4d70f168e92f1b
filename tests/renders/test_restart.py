"""Shutdown, crash and restart: no render is lost, none runs for ever, nothing is left lying about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from manimcast.renders import NoExecutor, Render, RenderService, RenderStatus, RenderStore
from manimcast.settings import Settings
from manimcast.spec import ErrorCode
from manimcast.storage import LocalStorage
from tests.patience import PATIENCE

from .conftest import Serve
from .killing import killed
from .scripted import GREETING, ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio


def run_and_kill(data: Path, url: str | None) -> list[str]:
    """Run a service until its first render runs, kill it, and return the ids of the two that it was given."""
    return killed("killed", str(data), *([url] if url else []), after="running")


async def last_of(service: RenderService, render_id: str) -> Render:
    """Wait for a render, as long as the service lets one."""
    return await service.wait(render_id, tenant="t")


async def test_after_a_kill_the_next_start_runs_everything(
    tmp_path: Path, serve: Serve, executor: ScriptedExecutor, database_url: str | None
) -> None:
    running, waiting = await asyncio.to_thread(run_and_kill, tmp_path / "data", database_url)
    work = tmp_path / "data" / "work"
    assert [path.name for path in work.rglob("half.mp4")] == ["half.mp4"]
    async with serve() as service:
        first = await executor.begun.get()
        assert first.render_id == running
        assert list(work.glob("*/*")) == [first.into]
        following = asyncio.create_task(last_of(service, waiting))
        first.succeed()
        done = await service.wait(running, tenant="t", timeout=PATIENCE)
        assert (done.status, done.attempt) == (RenderStatus.succeeded, 2)
        second = await executor.begun.get()
        assert second.render_id == waiting
        second.succeed()
        done = await following
        assert (done.status, done.attempt) == (RenderStatus.succeeded, 1)


async def test_a_render_that_takes_the_service_down_each_time_is_given_up(
    tmp_path: Path, serve: Serve, executor: ScriptedExecutor, database_url: str | None
) -> None:
    deadly, *_ = await asyncio.to_thread(run_and_kill, tmp_path / "data", database_url)
    for _ in range(2):
        await asyncio.to_thread(run_and_kill, tmp_path / "data", database_url)
    async with serve() as service:
        done = await service.get(deadly, tenant="t")
        assert done is not None
        assert (done.status, done.attempt) == (RenderStatus.failed, 3)
        assert done.error is not None
        assert done.error.code is ErrorCode.internal
        assert "3 times" in done.error.message
        assert (await executor.begun.get()).render_id != deadly


async def test_shutdown_lets_a_render_finish_within_its_grace(
    settings: Callable[..., Settings], executor: ScriptedExecutor
) -> None:
    service = RenderService(settings(), RenderStore(settings()), [executor], LocalStorage(settings()))
    await service.start()
    assert executor.is_started
    running = await service.submit(a_spec(), tenant="t")
    waiting = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    following = asyncio.create_task(last_of(service, waiting.id))
    watching = asyncio.create_task(service.wait(running.id, tenant="t", timeout=PATIENCE))
    service.drain()
    with pytest.raises(NoExecutor, match="shutting down"):
        await service.submit(a_spec(), tenant="t")
    stopping = asyncio.create_task(service.stop(grace=PATIENCE))
    performance.succeed()
    assert (await watching).status is RenderStatus.succeeded
    await stopping
    assert (await following).status is RenderStatus.queued
    assert not executor.is_started
    assert executor.begun.empty()


async def test_shutdown_puts_back_what_does_not_finish_and_the_next_start_runs_it(
    settings: Callable[..., Settings], serve: Serve, executor: ScriptedExecutor
) -> None:
    service = RenderService(settings(), RenderStore(settings()), [executor], LocalStorage(settings()))
    render_id = ""
    for attempt in range(1, 5):  # more often than attempts may be lost: a shutdown is not the render's fault
        await service.start()
        render_id = render_id or (await service.submit(a_spec(), tenant="t")).id
        performance = await executor.begun.get()
        assert performance.into.name == f"{render_id}-{attempt}"
        performance.say(*GREETING)
        following = asyncio.create_task(last_of(service, render_id))
        await service.stop(grace=0.01)
        assert performance.over.is_set()
        assert not performance.into.exists()
        last = await following
        assert (last.status, last.attempt, last.progress) == (RenderStatus.queued, attempt, None)
        service = RenderService(settings(), RenderStore(settings()), [executor], LocalStorage(settings()))
    async with serve() as service:
        (await executor.begun.get()).succeed()
        done = await service.wait(render_id, tenant="t", timeout=PATIENCE)
        assert (done.status, done.attempt) == (RenderStatus.succeeded, 5)


async def test_hurrying_a_shutdown_still_puts_everything_back(
    settings: Callable[..., Settings], executor: ScriptedExecutor
) -> None:
    service = RenderService(settings(), RenderStore(settings()), [executor], LocalStorage(settings()))
    await service.start()
    render = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    performance.say(*GREETING)
    following = asyncio.create_task(last_of(service, render.id))
    stopping = asyncio.create_task(service.stop(grace=1000))
    done, _ = await asyncio.wait({stopping}, timeout=0.05)
    assert not done
    stopping.cancel()
    await asyncio.wait({stopping})
    await service.stop(grace=0)
    assert performance.over.is_set()
    assert (await following).status is RenderStatus.queued


async def test_a_service_that_cannot_start_holds_nothing(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "signing.key").write_bytes(b"short")
    for _ in range(2):
        with pytest.raises(Exception, match=r"signing\.key is damaged"):
            async with serve():
                pass
    (tmp_path / "data" / "signing.key").unlink()
    async with serve():
        pass
