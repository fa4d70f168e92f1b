"""The life of a render whose video goes into a bucket, with executors in the test's hands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from manimcast.renders import RenderStatus, RenderStore
from manimcast.renders.rows import NewRender
from manimcast.settings import Settings
from manimcast.storage import from_settings, remote, uploads
from tests.buckets import BucketServer, Proxy
from tests.patience import eventually

from .conftest import Serve
from .scripted import VIDEO, ScriptedExecutor, a_report, a_spec

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(uploads, "LINGER", 0.05)
    monkeypatch.setattr(remote, "DELETING", 60)


async def held(way: Proxy) -> None:
    await eventually(lambda: way.held, "a request that is held back")


async def test_a_render_ends_when_its_video_is_in_the_bucket(
    serve: Serve, executor: ScriptedExecutor, bucket: BucketServer, way: Proxy
) -> None:
    async with serve(**bucket.settings(s3_endpoint=way.address)) as service:
        way.hold = lambda asked: asked.is_video
        render = await service.submit(a_spec(), tenant="t")
        (await executor.begun.get()).succeed()
        await held(way)
        assert (await service.wait(render.id, tenant="t", timeout=0)).status is RenderStatus.running
        way.works()
        done = await service.wait(render.id, tenant="t", timeout=60)
        assert done.status is RenderStatus.succeeded
        assert done.result is not None
        assert bucket.objects() == [done.result.video.key]
        file = await service.file(render.id, "video.mp4")
        assert file == done.result.video
        assert await service.file(render.id, "poster.png") is None
        assert await service.file("rnd_none", "video.mp4") is None


async def test_the_stop_of_the_service_does_not_wait_for_the_bucket(
    serve: Serve, executor: ScriptedExecutor, bucket: BucketServer, way: Proxy
) -> None:
    settings = bucket.settings(s3_endpoint=way.address)
    async with serve(**settings) as service:
        way.hold = lambda asked: asked.is_video
        render = await service.submit(a_spec(), tenant="t")
        (await executor.begun.get()).succeed()
        await held(way)
        await service.stop(grace=0)
    way.works()
    async with serve(**settings) as service:
        done = await service.wait(render.id, tenant="t", timeout=60)
        assert (done.status, done.attempt) == (RenderStatus.succeeded, 1)
        assert done.result is not None
        key = done.result.video.key
        await eventually(lambda: bucket.objects() == [key], "the video in the bucket, and nothing else")


async def test_what_no_row_tells_of_is_removed_at_the_next_start(
    tmp_path: Path,
    serve: Serve,
    settings: Callable[..., Settings],
    executor: ScriptedExecutor,
    bucket: BucketServer,
    way: Proxy,
) -> None:
    fields = bucket.settings(s3_endpoint=way.address)
    async with serve(**fields) as service:
        way.refuse = lambda asked: (503, "SlowDown") if asked.is_video else None
        render = await service.submit(a_spec(), tenant="t")
        (await executor.begun.get()).succeed()
        assert (await service.wait(render.id, tenant="t", timeout=60)).status is RenderStatus.succeeded
    store = RenderStore(settings(**fields))
    await store.open()
    assert await store.delete(render.id)
    await store.close()
    way.works()
    async with serve(**fields) as service:
        assert list((tmp_path / "data" / "outbox").glob("*/*")) == []
    assert bucket.objects() == []


async def test_one_of_two_finished_attempts_is_taken_over(
    tmp_path: Path, serve: Serve, settings: Callable[..., Settings], bucket: BucketServer, way: Proxy
) -> None:
    fields = bucket.settings(s3_endpoint=way.address)
    chosen = settings(**fields)
    store, storage = RenderStore(chosen), from_settings(chosen)
    await store.open()
    await store.admission.insert_running(NewRender("rnd_1", "t", a_spec()), owner="dead", executor="scripted")
    await store.close()
    await storage.start()
    way.refuse = lambda asked: (503, "SlowDown") if asked.is_video else None
    for _ in range(2):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "work" / "video.mp4").write_bytes(VIDEO)
        report = a_report().model_copy(update={"compute_seconds": 3.0})
        await storage.put("rnd_1", tmp_path / "work", report)
    await storage.stop()
    way.works()
    async with serve(**fields) as service:
        done = await service.get("rnd_1", tenant="t")
        assert done is not None
        assert (done.status, done.attempt) == (RenderStatus.succeeded, 1)
        assert done.result is not None
        assert done.progress is not None
        assert done.progress.percent == 100
        assert done.cost is not None
        assert done.cost.usd_estimate == 3 * (2 * 0.5 + 4 * 0.25)
        key = done.result.video.key
        await eventually(lambda: bucket.objects() == [key], "the video in the bucket, and nothing else")


async def test_a_video_on_its_way_stays_after_its_maker_is_deleted_as_long_as_another_render_shows_it(
    serve: Serve, executor: ScriptedExecutor, bucket: BucketServer, way: Proxy
) -> None:
    fields = bucket.settings(s3_endpoint=way.address)
    executor.fingerprint = {"manim": "0.22.0"}
    async with serve(**fields) as service:
        way.refuse = lambda asked: (503, "SlowDown") if asked.is_video else None
        maker = await service.submit(a_spec(), tenant="t")
        (await executor.begun.get()).succeed()
        await service.wait(maker.id, tenant="t", timeout=60)
        other = await service.submit(a_spec(), tenant="t")
        assert other.cache.hit == "result"
        assert other.result is not None
        await service.delete(maker.id, tenant="t")
    way.works()
    async with serve(**fields):
        key = other.result.video.key
        await eventually(lambda: bucket.objects() == [key], "the video in the bucket, and nothing else")
