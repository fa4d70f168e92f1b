"""Large uploads that break off: what has arrived is not sent again, and what nobody wants is not left behind."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from manimcast.settings import Settings
from manimcast.storage import StorageError, StoredResult
from manimcast.storage.bucket import PART
from manimcast.storage.multipart import Multipart
from manimcast.storage.outbox import Outbox
from manimcast.storage.remote import RemoteStorage
from tests.buckets import BUCKET, Asked, BucketServer, Proxy, moto, nanio, proxy
from tests.patience import eventually

from .test_remote import opened, put, quiet

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("impatient")]

PARTS = 5
CONTENT = random.Random(1).randbytes((PARTS - 1) * PART + 1000)


@pytest.fixture(params=["nanio", "moto"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BucketServer]:
    with {"nanio": nanio, "moto": moto}[request.param](tmp_path / "server") as server:
        yield server


@pytest.fixture
def line(server: BucketServer) -> Iterator[Proxy]:
    with proxy(server.address) as line:
        yield line


def number(asked: Asked) -> int | None:
    """Return which part a request brings."""
    found = parse_qs(asked.query).get("partNumber")
    return int(found[0]) if found and asked.method == "PUT" else None


def sent(line: Proxy) -> Counter[int]:
    """Return how many times each part has come to the bucket."""
    return Counter(part for asked in line.passed if (part := number(asked)) is not None)


def begun(line: Proxy) -> int:
    """Return how many uploads were begun."""
    return sum(asked.method == "POST" and asked.query.startswith("uploads") for asked in line.passed)


def left(line: Proxy) -> bool:
    """Tell whether there are parts in the bucket of which no object was made."""
    with multipart(BucketServer([], Path(), port=line.port)) as bucket:
        client: Any = bucket._connected()
        return "Uploads" in client.list_multipart_uploads(Bucket=BUCKET)


@contextmanager
def multipart(server: BucketServer) -> Iterator[Multipart]:
    """Speak to the bucket as the storage does, past the proxy."""
    settings = Settings(_env_file=None, **server.settings())
    assert settings.place is not None
    bucket = Multipart(settings, settings.place)
    try:
        yield bucket
    finally:
        bucket.close()


def begun_as(tmp_path: Path) -> str:
    """Return the id of the one upload of which the outbox tells."""
    [note] = (tmp_path / "data" / "outbox").glob("*/.begun-*")
    upload: str = json.loads(note.read_text())["upload"]
    return upload


async def stored(storage: RemoteStorage, tmp_path: Path) -> StoredResult:
    return await put(storage, tmp_path, video_mp4=CONTENT)


async def arrived(storage: RemoteStorage, result: StoredResult) -> bytes:
    """Return what the link gives once nothing is on its way."""
    await quiet(storage)
    link = await storage.link("rnd_1", result.video)
    assert not link.is_here
    async with httpx.AsyncClient() as client:
        return (await client.get(link.url)).content


async def broken_off(tmp_path: Path, server: BucketServer, line: Proxy) -> StoredResult:
    """Have two parts of five sent by a storage that ends then, as after a kill: its outbox is left to the next one."""
    line.refuse = lambda asked: (503, "ServiceUnavailable") if (number(asked) or 0) > 2 else None
    async with opened(tmp_path, server, line) as storage:
        result = await stored(storage, tmp_path)
        await eventually(lambda: storage.status().fault, "the fault")
        assert sent(line) == {1: 1, 2: 1}
    line.works()
    return result


async def test_only_parts_that_are_missing_are_sent_after_a_break(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    async with opened(tmp_path, server, line) as storage:
        line.refuse = lambda asked: (503, "ServiceUnavailable") if (number(asked) or 0) > 2 else None
        result = await stored(storage, tmp_path)
        await eventually(lambda: storage.status().fault, "the fault")
        line.works()
        assert hashlib.sha256(await arrived(storage, result)).hexdigest() == result.video.sha256
    assert sent(line) == dict.fromkeys(range(1, PARTS + 1), 1)
    assert begun(line) == 1
    assert not left(line)


async def test_only_parts_that_are_missing_are_sent_after_a_restart(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    result = await broken_off(tmp_path, server, line)
    async with opened(tmp_path, server, line) as storage:
        assert await arrived(storage, result) == CONTENT
    assert sent(line) == dict.fromkeys(range(1, PARTS + 1), 1)
    assert begun(line) == 1
    assert not left(line)


async def test_a_part_that_is_not_what_it_should_be_is_sent_again(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    result = await broken_off(tmp_path, server, line)
    with multipart(server) as bucket:
        bucket.send(str(result.video.key), begun_as(tmp_path), 2, bytes(PART))
    async with opened(tmp_path, server, line) as storage:
        assert await arrived(storage, result) == CONTENT
    assert sent(line) == {1: 1, 2: 2, 3: 1, 4: 1, 5: 1}


async def test_an_upload_that_was_completed_by_who_died_then_is_not_made_again(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    result = await broken_off(tmp_path, server, line)
    with multipart(server) as bucket:
        key, upload = str(result.video.key), begun_as(tmp_path)
        parts = [CONTENT[place : place + PART] for place in range(0, len(CONTENT), PART)]
        tags = [bucket.send(key, upload, number, part) for number, part in enumerate(parts, 1)]
        bucket.complete(key, upload, tags)
    async with opened(tmp_path, server, line) as storage:
        assert await arrived(storage, result) == CONTENT
    assert (sent(line), begun(line)) == ({1: 1, 2: 1}, 1)


@pytest.mark.parametrize("status", [(403, "AccessDenied"), (501, "NotImplemented"), (404, "NoSuchUpload")])
async def test_a_bucket_that_cannot_say_what_it_has_is_sent_all_of_it(
    tmp_path: Path, server: BucketServer, line: Proxy, status: tuple[int, str]
) -> None:
    result = await broken_off(tmp_path, server, line)
    line.refuse = lambda asked: status if asked.method == "GET" and "uploadId=" in asked.query else None
    async with opened(tmp_path, server, line) as storage:
        assert await arrived(storage, result) == CONTENT
    assert sent(line) == {1: 2, 2: 2, 3: 1, 4: 1, 5: 1}
    assert begun(line) == 2
    line.works()
    assert not left(line), "the first one was ended"


async def test_an_upload_that_the_bucket_has_given_up_begins_anew(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    gone: list[Asked] = []

    def once(asked: Asked) -> tuple[int, str] | None:
        if number(asked) == 3 and not gone:
            gone.append(asked)
            return 404, "NoSuchUpload"
        return None

    line.refuse = once
    async with opened(tmp_path, server, line) as storage:
        assert await arrived(storage, await stored(storage, tmp_path)) == CONTENT
    assert begun(line) == 2
    assert not left(line)


async def test_without_room_for_its_note_an_upload_waits(
    tmp_path: Path, server: BucketServer, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, full = Outbox.begin, [True]

    def fails_once(outbox: Outbox, key: str, upload: str) -> None:
        if full:
            full.clear()
            raise StorageError("the outbox cannot be written: No space left on device")
        begin(outbox, key, upload)

    monkeypatch.setattr(Outbox, "begin", fails_once)
    async with opened(tmp_path, server, line) as storage:
        assert await arrived(storage, await stored(storage, tmp_path)) == CONTENT
    assert begun(line) == 2
    assert not left(line)


async def test_what_is_deleted_amid_its_upload_leaves_no_parts(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    line.hold = lambda asked: (number(asked) or 0) > 1
    async with opened(tmp_path, server, line) as storage:
        result = await stored(storage, tmp_path)
        await eventually(lambda: line.held, "a part")
        deleting = asyncio.create_task(storage.delete("rnd_1", result))
        await eventually(lambda: storage._uploads._orders, "the order")
        line.works()
        await deleting
        await quiet(storage)
        assert not left(line)


async def test_parts_that_nobody_wants_are_removed_by_the_next_start(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    await broken_off(tmp_path, server, line)
    assert left(line)
    for parcel in (tmp_path / "data" / "outbox").glob("*/*"):
        if parcel.is_dir():
            shutil.rmtree(parcel)
    async with opened(tmp_path, server, line):
        await eventually(lambda: not [*(tmp_path / "data" / "outbox").glob("*/.begun-*")], "the end of the upload")
        assert not left(line)


async def test_a_bucket_that_does_not_take_it_so_is_sent_the_file_by_obstore(
    tmp_path: Path, server: BucketServer, line: Proxy
) -> None:
    refused: list[Asked] = []

    def first(asked: Asked) -> tuple[int, str] | None:
        if asked.method == "POST" and asked.query.startswith("uploads") and not refused:
            refused.append(asked)
            return 501, "NotImplemented"
        return None

    line.refuse = first
    async with opened(tmp_path, server, line) as storage:
        assert await arrived(storage, await stored(storage, tmp_path)) == CONTENT
        assert storage.status().fault is None
    assert refused
