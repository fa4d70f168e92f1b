"""The storage in a bucket: what is uploaded, replaced, deleted, and what happens while the bucket is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from manimcast.settings import Settings
from manimcast.spec import OutputRole
from manimcast.storage import (
    NoSuchFile,
    StorageError,
    StoredFile,
    StoredResult,
    arrivals,
    from_settings,
    uploads,
)
from manimcast.storage.remote import RemoteStorage
from tests.buckets import BUCKET, BucketServer, Proxy, nanio, proxy
from tests.patience import eventually
from tests.storage.test_local import written

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("impatient")]


@asynccontextmanager
async def opened(tmp_path: Path, bucket: BucketServer, way: Proxy, **fields: Any) -> AsyncIterator[RemoteStorage]:
    settings = bucket.settings(s3_endpoint=way.address, data_dir=tmp_path / "data", **fields)
    storage = from_settings(Settings(_env_file=None, **settings))
    assert isinstance(storage, RemoteStorage)
    await storage.start()
    try:
        async with asyncio.timeout(60):
            yield storage
    finally:
        await storage.stop()


async def put(storage: RemoteStorage, tmp_path: Path, render_id: str = "rnd_1", **files: bytes) -> StoredResult:
    folder = tmp_path / "work"
    return await storage.put(render_id, folder, written(folder, **(files or {"video_mp4": b"moving"})))


async def quiet(storage: RemoteStorage) -> None:
    """Wait until nothing is on its way any more."""
    await eventually(lambda: not storage.status().pending, "that nothing is on its way any more")


def outbox(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "data" / "outbox").glob("*/*")]


async def test_a_storage_that_replicas_share(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        assert (storage.kind, storage.is_shared) == ("s3", True)
    assert not from_settings(Settings(_env_file=None, data_dir=tmp_path)).is_shared


async def test_attempts_do_not_touch_each_others_objects(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        late = await put(storage, tmp_path, video_mp4=b"late", poster_png=b"late")
        await storage.settle(late)
        good = await put(storage, tmp_path, video_mp4=b"good")
        await storage.settle(good)
        assert len(bucket.objects()) == 3
        await storage.delete("rnd_1", late)
        assert bucket.objects() == [good.video.key]
        await storage.delete("rnd_1", late)
        await storage.delete("rnd_1", good)
        assert bucket.objects() == []
    assert outbox(tmp_path) == []


async def test_files_are_here_until_they_have_arrived(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        way.hold = lambda asked: asked.is_video
        stored = await put(storage, tmp_path)
        link = await storage.link("rnd_1", stored.video)
        assert link.is_here
        assert storage.path("rnd_1", "video.mp4").read_bytes() == b"moving"
        assert storage.status().pending == 1
        way.works()
        await storage.settle(stored)
        assert not (await storage.link("rnd_1", stored.video)).is_here
        await storage.confirm("rnd_1", stored)
        await eventually(lambda: not outbox(tmp_path), "an empty outbox")
        with pytest.raises(NoSuchFile):
            storage.path("rnd_1", "video.mp4")


async def test_what_no_row_tells_of_is_known_here_until_it_is_confirmed_or_deleted(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        first, second = await put(storage, tmp_path, "rnd_1"), await put(storage, tmp_path, "rnd_2")
        await storage.settle(first)
        await storage.settle(second)
    async with opened(tmp_path, bucket, way) as storage:
        await quiet(storage)
        assert {one.render_id for one in storage.under_way()} == {"rnd_1", "rnd_2"}
        found = {one.place: one.stored for one in await storage.unconfirmed()}
        assert found == {"rnd_1": first, "rnd_2": second}
        assert len([asked for asked in way.passed if asked.method == "PUT" and asked.is_video]) == 2, "not sent again"
        await storage.confirm("rnd_1", first)
        assert [one.place for one in await storage.unconfirmed()] == ["rnd_2"]
        await storage.delete("rnd_2")
        await eventually(lambda: not outbox(tmp_path), "an empty outbox")
        assert bucket.objects() == [first.video.key]


async def test_waiting_for_an_upload_may_be_given_up(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        way.hold = lambda asked: asked.is_video
        stored = await put(storage, tmp_path)
        waiting = asyncio.create_task(storage.settle(stored))
        await eventually(lambda: way.held, "a request that is held back")
        waiting.cancel()
        await asyncio.wait({waiting})
        way.works()
        await storage.settle(stored)
        assert bucket.objects() == [stored.video.key]


async def test_only_what_has_not_arrived_is_sent_again(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        way.refuse = lambda asked: (403, "AccessDenied") if "/video-" in asked.path else None
        stored = await put(storage, tmp_path, poster_png=b"still", video_mp4=b"moving")
        await storage.settle(stored)
        assert "may not write" in (storage.status().fault or "")
    async with opened(tmp_path, bucket, way) as storage:
        way.works()
        await quiet(storage)
        assert storage.status().fault is None
    writes = [asked.path for asked in way.passed if asked.method == "PUT" and "check" not in asked.path]
    assert len([path for path in writes if "/poster-" in path]) == 1
    assert len(bucket.objects()) == 2


async def test_a_deletion_waits_for_the_bucket_and_survives_a_restart(
    tmp_path: Path, bucket: BucketServer, way: Proxy
) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        stored = await put(storage, tmp_path)
        await storage.settle(stored)
        way.refuse = lambda asked: (403, "AccessDenied") if asked.method == "DELETE" and asked.is_video else None
        deleting = asyncio.create_task(storage.delete("rnd_1", stored))
        await eventually(lambda: "may not delete" in (storage.status().fault or ""), "the fault that is told")
        deleting.cancel()
        await asyncio.wait({deleting})
    assert bucket.objects() == [stored.video.key]
    way.works()
    async with opened(tmp_path, bucket, way) as storage:
        await quiet(storage)
    assert bucket.objects() == []
    assert outbox(tmp_path) == []


async def test_deleting_what_is_being_uploaded_leaves_nothing(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        way.hold = lambda asked: asked.is_video and asked.method == "PUT"
        stored = await put(storage, tmp_path, video_mp4=b"moving", poster_png=b"still")
        await eventually(lambda: way.held, "a request that is held back")
        deleting = asyncio.create_task(storage.delete("rnd_1"))
        await eventually(
            lambda: [name for name in outbox(tmp_path) if name.startswith(".delete-")], "an order to delete"
        )
        way.works()
        await deleting
        await quiet(storage)
        assert bucket.objects() == []
        assert outbox(tmp_path) == []
        with pytest.raises(NoSuchFile):
            await storage.read("rnd_1", stored.video)


async def test_one_that_works_wakes_those_that_wait(
    tmp_path: Path, bucket: BucketServer, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "FIRST_PAUSE", 1000.0)
    async with opened(tmp_path, bucket, way) as storage:
        way.refuse = lambda asked: (403, "AccessDenied") if asked.is_video else None
        failed = [await put(storage, tmp_path, f"rnd_{number}") for number in range(6)]
        for stored in failed:
            await storage.settle(stored)
        assert storage.status().pending == 6
        way.works()
        await storage.settle(await put(storage, tmp_path, "rnd_7"))
        await quiet(storage)
        assert len(bucket.objects()) == 7


async def test_a_bucket_that_never_worked_keeps_the_service_from_starting(tmp_path: Path) -> None:
    with nanio(tmp_path / "nanio") as bucket, proxy(bucket.address) as way:
        way.refuse = lambda _: (503, "SlowDown")
        with pytest.raises(StorageError, match="HTTP status 503, SlowDown"):
            async with opened(tmp_path, bucket, way):
                pass


async def test_a_file_that_was_taken_away_is_told(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    async with opened(tmp_path, bucket, way) as storage:
        way.hold = lambda asked: "/poster-" in asked.path
        stored = await put(storage, tmp_path, poster_png=b"still", video_mp4=b"moving")
        await eventually(lambda: way.held, "a request that is held back")
        storage.path("rnd_1", "video.mp4").unlink()
        way.works()
        await storage.settle(stored)
        assert "video.mp4" in (storage.status().fault or "")


async def test_what_renders_use_is_in_the_bucket(tmp_path: Path, bucket: BucketServer, way: Proxy) -> None:
    key, large = "a" * 64, b"0123456789" * 700_000
    (tmp_path / "file").write_bytes(large)
    async with opened(tmp_path, bucket, way, storage_prefix="films/") as storage:
        await storage.keep(key, tmp_path / "file")
        with await storage.fetch(key) as file:
            assert file.read() == large
        await storage.drop(key)
        with pytest.raises(NoSuchFile):
            await storage.fetch(key)
        await storage.drop(key)


async def test_another_services_links_lead_to_the_bucket_once_the_file_is_there(
    tmp_path: Path, bucket: BucketServer, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "AGAIN", 0.01)
    with proxy(bucket.address) as direct:
        async with opened(tmp_path / "one", bucket, way) as one, opened(tmp_path / "other", bucket, direct) as other:
            way.hold = lambda asked: asked.is_video
            stored = await put(one, tmp_path)
            assert stored.video.on_its_way
            assert (await other.link("rnd_1", stored.video)).is_here
            with pytest.raises(NoSuchFile):
                other.path("rnd_1", "video.mp4")
            way.works()
            settled = await one.settle(stored)
            assert not settled.video.on_its_way
            assert settled.video.model_copy(update={"on_its_way": True}) == stored.video
            assert StoredResult.model_validate(stored.model_dump(mode="json")) == stored
            assert "on_its_way" not in settled.model_dump_json(), "the version before does not know it"

            async def leads_there() -> bool:
                return not (await other.link("rnd_1", stored.video)).is_here

            await eventually(leads_there, "a link to the bucket")
            asked = len(direct.asked)
            assert await leads_there()
            assert not (await other.link("rnd_1", settled.video)).is_here
            assert len(direct.asked) == asked, "it is asked for until it is there, and never without a reason"


async def test_a_bucket_that_is_silent_keeps_no_link_waiting_for_long(
    tmp_path: Path, bucket: BucketServer, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "PATIENCE", 0.1)
    monkeypatch.setattr(arrivals, "AGAIN", 1000)
    async with opened(tmp_path, bucket, way) as storage:
        way.hold = lambda asked: asked.method == "HEAD"
        key = "video-of-another.mp4"
        file = StoredFile(role=OutputRole.video, name="video.mp4", bytes=1, sha256="", key=key, on_its_way=True)
        links = await asyncio.gather(*(storage.link("rnd_1", file) for _ in range(20)))
        assert all(link.is_here for link in links)
        assert (await storage.link("rnd_2", file.model_copy(update={"key": "video-2.mp4"}))).is_here
        assert [asked.path for asked in way.asked if asked.method == "HEAD"] == [f"/{BUCKET}/{key}"]
        way.works()
