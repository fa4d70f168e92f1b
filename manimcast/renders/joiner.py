"""Takes joins that are due and carries them out, one at a time in each service that can.

The videos are read from the storage when it is their turn, and go unread into a confined process; what comes out is
stored like the video of a render.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from manimcast.database import DatabaseError
from manimcast.executors.base import Executor, ExecutorError
from manimcast.executors.joining import CannotJoinError, Joiner, Video, VideoKind
from manimcast.renders.joins import Chapter, JoinClaim, JoinResult, JoinStore
from manimcast.renders.model import Render, RenderResult, RenderStatus
from manimcast.renders.rows import place_of
from manimcast.settings import Settings
from manimcast.spec import OutputFile, OutputRole, RenderReport
from manimcast.storage import NoSuchFile, Storage, StorageError

LOOK_AGAIN = 1.0
"""Seconds between looks at the table: that renders have ended is not announced between services."""
AFTER_FAULT = 5.0
"""Seconds before another look when something was at fault."""
MAX_TITLE = 200

logger = logging.getLogger(__name__)


class _LostError(Exception):
    """The join is not this attempt's any more."""


class JoinWorker:
    """Carries out joins on the first of ``executors`` that can, if one can."""

    def __init__(self, settings: Settings, store: JoinStore, storage: Storage, executors: Sequence[Executor]) -> None:
        self._settings = settings
        self._store = store
        self._storage = storage
        self._joiner = next((executor for executor in executors if isinstance(executor, Joiner)), None)
        self._folder = settings.data_dir.absolute() / "work"
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, if this service can join."""
        if self._joiner is not None:
            self._loop = asyncio.create_task(self._run(self._joiner))

    async def stop(self) -> None:
        """End; what is being joined goes back, for whoever takes it next."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})

    async def _run(self, joiner: Joiner) -> None:
        while True:
            pause = LOOK_AGAIN
            try:
                if joiner.status().available and (claim := await self._store.claim()) is not None:
                    pause = 0 if await self._carry_out(claim, joiner) else AFTER_FAULT
            except DatabaseError as error:
                logger.error("cannot take a join: %s", error)  # noqa: TRY400 - the message says it all
            except Exception:  # it must go on, or no batch is joined any more
                logger.exception("a join broke off")
                pause = AFTER_FAULT
            await asyncio.sleep(pause)

    async def _carry_out(self, claim: JoinClaim, joiner: Joiner) -> bool:
        """Join, and write down how that ended. False when this service is at fault."""
        work = self._folder / claim.place
        working = asyncio.ensure_future(self._join(claim, joiner, work))
        renewing = asyncio.ensure_future(self._keep(claim))
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise _LostError
            await working
        except _LostError:
            logger.info("the join of batch %s is not this service's any more", claim.batch_id)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseError):  # else the lease runs out
                await self._store.put_back(claim, failed=False)
            raise
        except CannotJoinError as error:
            await self._store.fail(claim, f"{error}"[:4000])
        except (ExecutorError, StorageError, OSError) as error:
            logger.warning("the videos of batch %s could not be joined: %s", claim.batch_id, error)
            await self._store.put_back(claim, failed=True)
            return False
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.wait({working, renewing})
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
        return True

    async def _keep(self, claim: JoinClaim) -> None:
        """Return once the join is not ours any more."""
        is_ours = True
        while is_ours:
            await asyncio.sleep(self._settings.lease_ttl / 5)
            with contextlib.suppress(DatabaseError):  # a lease outlives some of them
                is_ours = await self._store.renew(claim)

    async def _join(self, claim: JoinClaim, joiner: Joiner, work: Path) -> None:
        for attempt in range(1, claim.attempt):  # of a service that died before it could write down what it stored
            place = place_of(claim.batch_id, attempt)
            await self._storage.delete(place)
            await asyncio.to_thread(shutil.rmtree, self._folder / place, ignore_errors=True)
        found = await self._store.renders(claim.batch_id)
        videos, results, kind = self._look(claim, found)
        await asyncio.to_thread(work.mkdir, parents=True, exist_ok=True)
        path = await joiner.join(videos, kind, into=work, timeout=self._settings.render_timeout)
        report = _report(results, path)
        stored = await self._storage.put(claim.place, work, report)
        stored = stored.model_copy(update={"place": claim.place})
        await self._storage.settle(stored)
        rendered = [render for render in found if render.status is RenderStatus.succeeded]
        result = JoinResult(
            duration=report.duration,
            width=report.width,
            height=report.height,
            frame_rate=report.frame_rate,
            frames=report.frames,
            bytes=stored.video.bytes,
            sha256=stored.video.sha256,
            format=report.format,
            media_type=report.media_type,
            chapters=_chapters(rendered, results),
            files=stored.files,
        )
        if not await self._store.succeed(claim, result):
            await self._storage.delete(claim.place, stored)

    def _look(self, claim: JoinClaim, found: Sequence[Render]) -> tuple[list[Video], list[RenderResult], VideoKind]:
        """Return what is to be joined. Raises :class:`CannotJoinError` when that does not fit together."""
        videos, results = [], []
        kind = None
        if len(found) != claim.size and not claim.skips:
            raise CannotJoinError(f"{claim.size - len(found)} of the renders were deleted")
        for render in found:
            name = f"renders[{render.item}]"
            result = render.result
            if render.status is not RenderStatus.succeeded and claim.skips:
                continue
            if result is None or result.expired_at is not None:
                raise CannotJoinError(f"{name} has no video any more")
            transparent = bool(render.spec.get("transparent"))
            this = VideoKind(result.format, result.width, result.height, result.frame_rate, transparent)
            kind = kind or this
            if this != kind:
                raise CannotJoinError(f"{name} came out as {_words(this)}, and those before it as {_words(kind)}")
            videos.append(
                Video(result.video.bytes, result.frames, _title(render), name, Opening(self._storage, name, result))
            )
            results.append(result)
        if kind is None:
            raise CannotJoinError("no render has a video")
        return videos, results, kind


class Opening:
    """Opens the stored video of a render, if it is still what was stored."""

    def __init__(self, storage: Storage, name: str, result: RenderResult) -> None:
        self._storage = storage
        self._name = name
        self._result = result

    async def __call__(self) -> BinaryIO:
        """Return the file."""
        video = self._result.video
        try:
            file = await self._storage.read(self._result.place, video)
        except NoSuchFile:
            raise CannotJoinError(f"{self._name} has no video any more") from None
        try:
            if await asyncio.to_thread(_digest, file) != video.sha256:
                raise CannotJoinError(f"the stored video of {self._name} is not what was stored")
        except BaseException:
            file.close()
            raise
        return file


def _digest(file: BinaryIO) -> str:
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it is a BinaryIO
    file.seek(0)
    return digest


def _words(kind: VideoKind) -> str:
    alpha = ", transparent" if kind.transparent else ""
    return f"{kind.format} of {kind.width}x{kind.height} at {kind.frame_rate:g}/s{alpha}"


def _title(render: Render) -> str:
    """Return what a client calls a render, or else the name of its scene, as one line."""
    named = render.metadata or {}
    candidates = [named.get("title"), named.get("name"), render.result and render.result.scene]
    title = next((text for text in candidates if isinstance(text, str) and text.strip()), "")
    return "".join(letter if letter.isprintable() else " " for letter in title)[:MAX_TITLE]


def _report(results: Sequence[RenderResult], path: Path) -> RenderReport:
    """Return what the storage is told of the joined video."""
    first = results[0]
    frames = sum(result.frames for result in results)
    return RenderReport(
        scene=first.scene,
        format=first.format,
        media_type=first.media_type,
        width=first.width,
        height=first.height,
        frame_rate=first.frame_rate,
        frames=frames,
        duration=frames / first.frame_rate,
        animations=0,
        files=(OutputFile(role=OutputRole.video, name=path.name, bytes=path.stat().st_size),),
        seed=0,
        timings={},
        fingerprint={},
    )


def _chapters(rendered: Sequence[Render], results: Sequence[RenderResult]) -> tuple[Chapter, ...]:
    rate = results[0].frame_rate
    ends = [frames / rate for frames in itertools.accumulate(result.frames for result in results)]
    return tuple(
        Chapter(title=_title(render), start=start, end=end, render_id=render.id, item=render.item or 0)
        for render, start, end in zip(rendered, [0.0, *ends], ends, strict=False)
    )
