"""What was stored and may be nobody's: it goes when no row will tell of it, and stays as long as one may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from manimcast.renders import RenderStatus, RenderStore
from manimcast.renders.outcomes import CANCELED, finished
from manimcast.renders.rows import NewRender
from manimcast.renders.strays import Strays
from manimcast.renders.table import joins
from manimcast.settings import Settings
from manimcast.storage import LocalStorage
from tests.buckets import BucketServer
from tests.patience import PATIENCE, eventually

from .conftest import Serve
from .killing import killed
from .scripted import VIDEO, ScriptedExecutor, a_report, a_spec

pytestmark = pytest.mark.anyio


def places(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "videos").iterdir())


async def stored(settings: Settings, *names: str) -> LocalStorage:
    """Have videos stored under these names by a service that is gone then; return the storage of another one."""
    dead, work = LocalStorage(settings), settings.data_dir / "made"
    await dead.start()
    for name in names:
        work.mkdir(exist_ok=True)
        (work / "video.mp4").write_bytes(VIDEO)
        await dead.put(name, work, a_report())
    await dead.stop()
    storage = LocalStorage(settings)
    await storage.start()
    return storage


async def test_what_no_row_will_tell_of_goes_and_nothing_else(
    settings: Callable[..., Settings], store: RenderStore
) -> None:
    await asyncio.gather(
        *(
            store.admission.insert_running(NewRender(name, "t", a_spec(seed=seed)), owner="dead", executor="scripted")
            for seed, name in enumerate(("rnd_running", "rnd_shown", "rnd_canceled"))
        )
    )
    storage = await stored(
        settings(), "rnd_running", "rnd_running-2", "rnd_shown", "rnd_canceled", "rnd_gone", "bat_1-2", "bat_1-3"
    )
    result = await storage.put("rnd_mine", *made(settings()))
    shown = finished(a_report(), result.model_copy(update={"place": "rnd_shown"}), None)
    assert await store.endings.finish("rnd_shown", 1, shown)
    assert await store.endings.end("rnd_canceled", status=RenderStatus.running, outcome=CANCELED)
    join = {"batch_id": "bat_1", "tenant": "t", "status": "running", "skips": False, "attempt": 3, "failures": 0}
    async with store.database.write() as connection:
        await connection.execute(insert(joins).values(join))
    old = settings().data_dir / "videos" / "rnd_from_another_database"
    old.mkdir()
    strays = Strays(store, storage)
    await strays.sweep()
    kept = ["bat_1-3", "rnd_from_another_database", "rnd_mine", "rnd_running", "rnd_shown"]
    assert places(settings().data_dir) == kept
    assert sorted(one.place for one in await storage.unconfirmed()) == ["bat_1-3", "rnd_running"]
    # The attempts end: one video is told of, the other never will be.
    shown = finished(a_report(), result.model_copy(update={"place": "rnd_running"}), None)
    assert await store.endings.finish("rnd_running", 1, shown)
    async with store.database.write() as connection:
        await connection.execute(update(joins).values(status="canceled"))
    await strays.sweep()
    assert places(settings().data_dir) == kept[1:]
    assert await storage.unconfirmed() == []
    await storage.stop()
    assert [one.place for one in await storage.unconfirmed()] == ["rnd_mine"]


def made(settings: Settings) -> tuple[Path, Any]:
    work = settings.data_dir / "made"
    work.mkdir(exist_ok=True)
    (work / "video.mp4").write_bytes(VIDEO)
    return work, a_report()


def store_and_kill(fields: dict[str, Any], status: str) -> str:
    """Run a service until it has stored a video, kill it, and return the render's id."""
    (render_id,) = killed("killed_storing", json.dumps(fields, default=str), status, after="stored")
    return render_id


@pytest.mark.parametrize("where", ["here", "bucket"])
async def test_a_refused_video_of_a_service_that_was_killed_goes_at_the_next_start(
    tmp_path: Path, serve: Serve, database_url: str | None, bucket: BucketServer, where: str
) -> None:
    data = tmp_path / "data"
    fields = bucket.settings() if where == "bucket" else {}
    ours = {"data_dir": data, "database_url": database_url, "shared_data_dir": True, **fields}
    render_id = await asyncio.to_thread(store_and_kill, ours, "canceled")
    assert (bucket.objects() if where == "bucket" else places(data)) != []
    async with serve(**fields) as service:
        if where == "bucket":
            await eventually(lambda: bucket.objects() == [], "the end of the object")
            await eventually(lambda: list((data / "outbox").glob("*/*")) == [], "the end of its note")
        await eventually(lambda: places(data) == [], "the end of the video")
        await eventually(lambda: list((data / "storing").iterdir()) == [], "the end of what told of it")
        canceled = await service.get(render_id, tenant="t")
        assert canceled is not None
        assert canceled.status is RenderStatus.canceled


async def test_an_object_that_no_row_told_of_when_its_service_was_killed_is_the_renders(
    tmp_path: Path, serve: Serve, database_url: str | None, bucket: BucketServer
) -> None:
    fields = bucket.settings()
    ours = {"data_dir": tmp_path / "data", "database_url": database_url, "shared_data_dir": True, **fields}
    render_id = await asyncio.to_thread(store_and_kill, ours, "running")
    (key,) = bucket.objects()
    async with serve(**fields) as service:
        done = await service.get(render_id, tenant="t")
        assert done is not None
        assert (done.status, done.attempt) == (RenderStatus.succeeded, 1)
        assert done.result is not None
        assert done.result.video.key == key
        outbox = tmp_path / "data" / "outbox"
        await eventually(lambda: list(outbox.glob("*/*")) == [], "the end of the note", PATIENCE)
    assert bucket.objects() == [key]


async def test_what_a_service_stores_is_confirmed_when_its_row_is_written(
    tmp_path: Path, serve: Serve, executor: ScriptedExecutor
) -> None:
    async with serve() as service:
        render = await service.submit(a_spec(), tenant="t")
        (await executor.begun.get()).succeed()
        await service.wait(render.id, tenant="t", timeout=PATIENCE)
        await eventually(lambda: list((tmp_path / "data" / "storing").iterdir()) == [], "the confirmation")
        assert places(tmp_path / "data") == [render.id]
