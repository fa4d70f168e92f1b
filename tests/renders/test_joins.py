"""One video of all renders of a batch: when it is made, by whom, and what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Now
from manimcast.executors.base import ExecutorError
from manimcast.executors.joining import CannotJoinError, Video, VideoKind
from manimcast.renders import (
    Batch,
    Batches,
    Draft,
    JoinStatus,
    JoinStore,
    JoinWish,
    JoinWorker,
    RenderService,
    RenderStore,
    WebhookWish,
    joiner,
    parts,
)
from manimcast.renders.retention import Retention
from manimcast.renders.table import joins
from manimcast.settings import Settings
from manimcast.storage import LocalStorage, NoSuchFile, StoredResult
from manimcast.storage.shelf import Shelf
from tests.patience import PATIENCE, eventually

from .scripted import VIDEO, ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio


class ScriptedJoiner(ScriptedExecutor):
    """An executor that joins by putting bytes together, once ``goes`` is set; ``faults`` come first."""

    def __init__(self) -> None:
        super().__init__("local", slots=4)
        self.goes = asyncio.Event()
        self.goes.set()
        self.begun_joins = 0
        self.joining = 0
        self.titles: list[list[str]] = []
        self.faults: list[Exception] = []

    async def join(self, videos: Sequence[Video], kind: VideoKind, *, into: Path, timeout: float) -> Path:
        self.begun_joins += 1
        self.joining += 1
        try:
            await self.goes.wait()
        finally:
            self.joining -= 1
        if self.faults:
            raise self.faults.pop(0)
        self.titles.append([video.title for video in videos])
        content = b""
        for video in videos:
            with await video.open() as file:
                content += file.read()
        (into / "video.mp4").write_bytes(content)
        return into / "video.mp4"


@dataclass
class Running:
    batches: Batches
    service: RenderService
    store: RenderStore
    executor: ScriptedJoiner
    worker: JoinWorker
    storage: LocalStorage
    settings: Settings
    ended: list[tuple[str, str]] = field(default_factory=list)

    async def joined(self, *wanted: bool, skips: bool = False) -> Batch:
        """Submit a batch to be joined whose renders succeed or fail as wanted."""
        drafts = [Draft(a_spec(seed=seed), metadata={"title": f"Part {seed}"}) for seed in range(len(wanted))]
        batch = await self.batches.submit(drafts, tenant="t", join=JoinWish(skips=skips))
        for _ in wanted:
            performance = await self.executor.begun.get()
            assert performance.spec is not None
            if wanted[performance.spec.seed]:
                performance.succeed()
            else:
                performance.fail()
        return batch

    async def until(self, batch: Batch, holds: Callable[[Batch], bool]) -> Batch:
        async def look() -> Batch | None:
            found = await self.batches.get(batch.id, tenant="t")
            return found if holds(found) else None

        found: Batch = await eventually(look, "what a batch is to become")
        return found

    async def end(self, batch: Batch) -> Batch:
        return await self.until(batch, lambda found: found.finished_at is not None)


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Start:
    """Return a function that runs a service whose executor joins; all share a folder and a database."""
    monkeypatch.setattr(joiner, "LOOK_AGAIN", 0.02)
    monkeypatch.setattr(joiner, "AFTER_FAULT", 0.02)

    @contextlib.asynccontextmanager
    async def run(**fields: Any) -> AsyncIterator[Running]:
        chosen, executor = settings(**fields), ScriptedJoiner()
        store, storage = RenderStore(chosen), LocalStorage(chosen)
        waiting = JoinStore(store, chosen.lease_ttl)
        worker = JoinWorker(chosen, waiting, storage, [executor])
        service = RenderService(chosen, store, [executor], storage, [worker])
        at = Running(Batches(chosen, store, service, waiting), service, store, executor, worker, storage, chosen)

        async def witness(connection: AsyncConnection, tenant: str, batch: Batch, wish: WebhookWish | None) -> None:
            assert (tenant, wish) == ("t", None)
            at.ended.append((batch.id, batch.status))

        at.batches.witnesses.append(witness)
        await service.start()
        try:
            async with asyncio.timeout(PATIENCE):
                yield at
        finally:
            await service.stop(grace=0)

    return run


async def test_the_batch_ends_with_its_video(start: Start) -> None:
    async with start() as at:
        at.executor.goes.clear()
        batch = await at.joined(True, True, True)
        waiting = await at.until(batch, lambda found: found.join is not None and found.join.status == "running")
        assert (waiting.status, waiting.finished_at, at.ended) == ("running", None, [])
        at.executor.goes.set()
        done = await at.end(batch)
        assert (done.status, at.ended) == ("succeeded", [(batch.id, "succeeded")])
        assert at.executor.titles == [["Part 0", "Part 1", "Part 2"]]
        assert done.join is not None
        result, place = done.join.result, done.join.place
        assert result is not None
        assert place is not None
        assert (result.frames, result.duration, result.bytes) == (90, 3, 3 * len(VIDEO))
        assert [(one.title, one.start, one.end, one.item) for one in result.chapters] == [
            ("Part 0", 0, 1, 0),
            ("Part 1", 1, 2, 1),
            ("Part 2", 2, 3, 2),
        ]
        assert at.storage.path(place, "video.mp4").read_bytes() == 3 * VIDEO
        assert await at.service.file(place, "video.mp4") == result.video
        await at.batches.delete(batch.id, tenant="t")
        with pytest.raises(NoSuchFile):
            at.storage.path(place, "video.mp4")
        async with at.store.database.read() as connection:
            assert (await connection.execute(select(joins))).all() == []


@pytest.mark.parametrize(
    ("metadata", "params", "title"),
    [
        ({"title": "T", "name": "N"}, {"title": "P"}, "T"),
        ({"title": " ", "name": "N"}, {"title": "P"}, "N"),
        ({"title": 7}, {"title": "P", "name": "Q"}, "P"),
        (None, {"name": "Ada\nLovelace"}, "Ada Lovelace"),
        (None, {"name": ["Ada"]}, "A"),
        (None, {}, "A"),
    ],
)
async def test_what_a_chapter_is_called(
    start: Start, metadata: dict[str, Any] | None, params: dict[str, Any], title: str
) -> None:
    async with start() as at:
        draft = Draft(a_spec(params=params), metadata=metadata)
        batch = await at.batches.submit([draft], tenant="t", join=JoinWish(skips=False))
        (await at.executor.begun.get()).succeed()
        done = await at.end(batch)
        assert done.join is not None
        assert done.join.result is not None
        assert [chapter.title for chapter in done.join.result.chapters] == [title]


async def test_what_failed_fails_the_video_and_is_named_or_is_skipped(start: Start) -> None:
    async with start() as at:
        done = await at.end(await at.joined(True, False, True, False))
        assert done.join is not None
        assert (done.status, done.join.status) == ("partial", "failed")
        assert done.join.error == "renders[1], renders[3] did not succeed"
        assert at.executor.begun_joins == 0
        done = await at.end(await at.joined(True, False, True, False, skips=True))
        assert done.join is not None
        assert done.join.result is not None
        assert (done.status, done.join.status) == ("partial", "succeeded")
        assert [chapter.item for chapter in done.join.result.chapters] == [0, 2]
        done = await at.end(await at.joined(False, skips=True))
        assert done.join is not None
        assert (done.status, done.join.error) == ("failed", "no render has a video")


async def test_videos_that_cannot_be_joined(start: Start) -> None:
    async with start() as at:
        at.executor.faults = [CannotJoinError("renders[1] was encoded with other settings")]
        done = await at.end(await at.joined(True, True))
        assert done.join is not None
        assert (done.status, done.join.error) == ("partial", "renders[1] was encoded with other settings")


async def test_a_service_at_fault_tries_again_but_not_for_ever(start: Start) -> None:
    async with start() as at:
        at.executor.faults = [ExecutorError("gone"), ExecutorError("gone")]
        assert (await at.end(await at.joined(True, True))).status == "succeeded"
        at.executor.faults = [ExecutorError("gone")] * 3
        done = await at.end(await at.joined(True))
        assert done.join is not None
        assert (done.join.status, at.executor.faults) == ("failed", [])
        assert "tried 3 times" in (done.join.error or "")


async def test_a_stored_video_that_was_changed_is_not_joined(start: Start) -> None:
    async with start() as at:
        at.executor.goes.clear()
        batch = await at.joined(True, True)
        await at.until(batch, lambda found: found.join is not None and found.join.status == "running")
        second = (await at.batches.items(batch.id, tenant="t"))[1]
        assert second.result is not None
        at.storage.path(second.result.place, "video.mp4").write_bytes(b"not what was stored"[: len(VIDEO)])
        at.executor.goes.set()
        done = await at.end(batch)
        assert done.join is not None
        assert done.join.error == "the stored video of renders[1] is not what was stored"


async def test_a_video_that_another_service_still_brings_is_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as it takes, but not for ever."""
    tried = 0
    take, read = LocalStorage.put, LocalStorage.read

    async def on_its_way(self: LocalStorage, *args: Any) -> StoredResult:
        stored = await take(self, *args)
        files = tuple(file.model_copy(update={"on_its_way": True}) for file in stored.files)
        return stored.model_copy(update={"files": files})

    async def not_yet(self: LocalStorage, *args: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried <= 5 or timedelta() > parts.ON_ITS_WAY:
            raise NoSuchFile("it is not there")
        return await read(self, *args)

    monkeypatch.setattr(LocalStorage, "put", on_its_way)
    monkeypatch.setattr(LocalStorage, "read", not_yet)
    async with start() as at:
        done = await at.end(await at.joined(True))
        assert done.join is not None
        assert (done.status, done.join.place, tried) == ("succeeded", f"{done.id}-6", 6)
        monkeypatch.setattr(parts, "ON_ITS_WAY", timedelta(seconds=-1))
        done = await at.end(await at.joined(True, True))
        assert done.join is not None
        assert done.join.error == "renders[0] has no video any more"


async def test_a_render_that_was_deleted_is_missed(start: Start) -> None:
    async with start() as at:
        at.executor.goes.clear()
        batch = await at.joined(True, True)
        await at.until(batch, lambda found: found.join is not None and found.join.status == "running")
        second = (await at.batches.items(batch.id, tenant="t"))[1]
        await at.service.delete(second.id, tenant="t")
        at.executor.goes.set()
        done = await at.end(batch)
        assert done.join is not None
        assert done.join.error == "renders[1] has no video any more"


async def is_joined(at: Running, batch: Batch) -> None:
    """Wait until somebody carries out the join."""
    await at.until(batch, lambda found: found.join is not None and found.join.status == "running")


@pytest.mark.parametrize("leaving", ["cancel", "delete"])
@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_what_is_canceled_while_it_is_joined_ends_before_the_answer(
    start: Start, monkeypatch: pytest.MonkeyPatch, leaving: str, where: str
) -> None:
    if where == "here":
        monkeypatch.setattr(joiner, "INTERVAL", PATIENCE)
    async with start(lease_ttl=1000) as at, contextlib.AsyncExitStack() as stack:
        at.executor.goes.clear()
        batch = await at.joined(True, True)
        await is_joined(at, batch)
        await eventually(lambda: at.executor.joining, "the child that joins")
        asked = at
        if where == "elsewhere":
            asked = await stack.enter_async_context(start(lease_ttl=1000))
        if leaving == "delete":
            await asked.batches.delete(batch.id, tenant="t")
        else:
            done = await asked.batches.cancel(batch.id, tenant="t")
            assert done.join is not None
            assert (done.status, done.join.status) == ("canceled", "canceled")
        assert at.executor.joining == 0
        assert asked.ended == [(batch.id, "canceled")]
        at.executor.goes.set()
        if asked is at:
            other = await at.end(await at.joined(True))
            assert (other.status, at.ended[-1]) == ("succeeded", (other.id, "succeeded"))
        if leaving == "cancel":
            again = await at.batches.get(batch.id, tenant="t")
            assert again.join is not None
            assert again.join.status == "canceled"
        await eventually(lambda: not list((at.settings.data_dir / "work").glob("*/bat_*")), "the end of its files")


@pytest.mark.parametrize("how", ["canceled", "stopped"])
async def test_what_is_being_stored_when_it_ends_is_left_nowhere_or_shown(
    start: Start, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    storing, goes_on = threading.Event(), threading.Event()
    put = Shelf.put

    def slow(self: Shelf, name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("bat_"):
            storing.set()
            assert goes_on.wait(PATIENCE)
        return put(self, name, *args, **options)

    monkeypatch.setattr(Shelf, "put", slow)
    async with start() as at:
        batch = await at.joined(True, True)
        await eventually(storing.is_set, "the storing of the joined video")
        ending = asyncio.create_task(
            at.batches.cancel(batch.id, tenant="t") if how == "canceled" else at.service.stop(grace=0)
        )
        if how == "canceled":
            await at.until(batch, lambda found: found.finished_at is not None)
        goes_on.set()
        await ending
        videos = sorted(path.name for path in (at.settings.data_dir / "videos").glob("bat_*"))
        assert videos == ([] if how == "canceled" else [batch.id])
    if how == "stopped":
        async with start() as at:
            done = await at.batches.get(batch.id, tenant="t")
            assert done.join is not None
            assert (done.status, done.join.place) == ("succeeded", batch.id)


async def test_a_canceled_join_whose_service_died_is_waited_for_no_longer_than_its_lease(start: Start) -> None:
    async with start() as at:
        at.executor.goes.clear()
        batch = await at.joined(True)
        await is_joined(at, batch)
        assert at.worker._loop is not None
        at.worker._loop.cancel()
        await asyncio.wait({at.worker._loop})
        async with at.store.database.write() as connection:
            await connection.execute(update(joins).values(status="running", lease_until=Now() + 0.5))
        done = await at.batches.cancel(batch.id, tenant="t")
        assert done.status == "canceled"
        async with at.store.database.read() as connection:
            assert (await connection.execute(select(joins.c.lease_until < Now()))).scalar_one()


async def test_canceled_before_all_renders_have_ended(start: Start) -> None:
    async with start() as at:
        batch = await at.batches.submit([Draft(a_spec())], tenant="t", join=JoinWish())
        await at.executor.begun.get()
        done = await at.batches.cancel(batch.id, tenant="t")
        assert done.join is not None
        assert (done.status, done.join.status) == ("canceled", "canceled")
        assert at.ended == [(batch.id, "canceled")]


async def test_a_join_goes_on_where_a_service_stopped_or_died(start: Start) -> None:
    async with start() as at:
        at.executor.goes.clear()
        batch = await at.joined(True, True)
        await at.until(batch, lambda found: found.join is not None and found.join.status == "running")
    async with start() as at:
        done = await at.end(batch)
        assert done.join is not None
        assert done.status == "succeeded"
        assert done.join.place == f"{batch.id}-2"
    async with start() as at:  # as after a kill: it is running, but nobody has it
        at.executor.goes.clear()
        batch = await at.joined(True, True)
        await at.until(batch, lambda found: found.join is not None and found.join.status == "running")
        at.executor.faults = [CannotJoinError("of the first attempt, which nobody hears")]
        async with at.store.database.write() as connection:
            await connection.execute(update(joins).where(joins.c.batch_id == batch.id).values(lease_until=0))
    async with start() as at:
        assert (await at.end(batch)).status == "succeeded"


async def test_a_lease_that_ran_out_is_taken_over_and_the_first_is_refused(start: Start) -> None:
    async with start() as at:
        done = await at.end(batch := await at.joined(True))
        at.executor.unavailable = "so that the service takes nothing more"
        waiting = JoinStore(at.store, 1000)
        waiting.on_end = at.batches._close
        assert done.join is not None
        assert done.join.result is not None
        reopened = {"status": "running", "attempt": 1, "lease_until": 0.0, "place": None}
        async with at.store.database.write() as connection:
            await connection.execute(update(joins).values(reopened))
        assert await waiting.claim() is None, "whoever has it may still be about to put off its lease"
        waiting.suspects.clock = lambda: time.monotonic() + 1000
        claim = await waiting.claim()
        assert claim is not None
        assert claim.attempt == 2
        late = type(claim)(claim.batch_id, claim.tenant, 1, claim.size, claim.skips)
        assert not await waiting.renew(late)
        assert not await waiting.succeed(late, done.join.result)
        await waiting.fail(late, "late")
        await waiting.put_back(late, failed=True)
        assert await waiting.claim() is None
        assert await waiting.renew(claim)
        found = await waiting.find(batch.id)
        assert found is not None
        assert found.status is JoinStatus.running


async def test_its_video_expires_like_those_of_renders(start: Start) -> None:
    async with start() as at:
        batch = await at.joined(True)
        done = await at.end(batch)
        assert done.join is not None
        place = done.join.place
        assert place is not None
        short = at.settings.model_copy(update={"video_ttl": 1e-6})
        await Retention(short, at.store, at.storage).sweep()
        with pytest.raises(NoSuchFile):
            at.storage.path(place, "video.mp4")
        found = (await at.batches.get(batch.id, tenant="t")).join
        assert found is not None
        assert found.result is not None
        assert (found.place, found.result.expired_at is not None) == (None, True)
