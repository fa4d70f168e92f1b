"""What is joined: the stored videos of a batch, which nobody here looks into, and what is told of the whole."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from manimcast.executors.joining import CannotJoinError, Video, VideoKind
from manimcast.renders.joins import Chapter, JoinClaim, JoinResult
from manimcast.renders.model import Render, RenderResult, RenderStatus
from manimcast.spec import OutputFile, OutputRole, RenderReport
from manimcast.storage import NoSuchFile, Storage, StorageError, StoredResult

MAX_TITLE = 200
ON_ITS_WAY = timedelta(hours=1)
"""How long after its render a video is waited for that another service was still to bring to the bucket."""


class NotThereYetError(StorageError):
    """A video is not in the bucket yet, where another service is still to bring it."""


def look(
    claim: JoinClaim, found: Sequence[Render], storage: Storage, now: datetime
) -> tuple[list[Video], list[RenderResult], VideoKind]:
    """Return what is to be joined. Raises :class:`CannotJoinError` when that does not fit together.

    ``now`` is the time by the clock that the renders' times are by.
    """
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
        age = now - render.finished_at if render.finished_at is not None else ON_ITS_WAY
        opening = Opening(storage, name, result, may_come=result.video.on_its_way and age < ON_ITS_WAY)
        videos.append(Video(result.video.bytes, result.frames, _title(render), name, opening))
        results.append(result)
    if kind is None:
        raise CannotJoinError("no render has a video")
    return videos, results, kind


class Opening:
    """Opens the stored video of a render, if it is still what was stored.

    ``may_come`` tells that it may still be on its way to where it is stored.
    """

    def __init__(self, storage: Storage, name: str, result: RenderResult, *, may_come: bool) -> None:
        self._storage = storage
        self._name = name
        self._result = result
        self._may_come = may_come

    async def __call__(self) -> BinaryIO:
        """Return the file."""
        video = self._result.video
        try:
            file = await self._storage.read(self._result.place, video)
        except NoSuchFile:
            if self._may_come:
                raise NotThereYetError(f"the video of {self._name} is still on its way to the bucket") from None
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
    """Return what a client calls a render, or what it is made of, or else the name of its scene, as one line."""
    # In a batch with params the metadata is the same for all, but not what they are made of.
    told = (render.metadata or {}, render.spec.get("params") or {})
    candidates = (named.get(key) for named in told for key in ("title", "name"))
    scene = render.result and render.result.scene
    title = next((text for text in (*candidates, scene) if isinstance(text, str) and text.strip()), "")
    return "".join(letter if letter.isprintable() else " " for letter in title)[:MAX_TITLE]


def report_of(results: Sequence[RenderResult], path: Path) -> RenderReport:
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


def result_of(
    found: Sequence[Render], results: Sequence[RenderResult], report: RenderReport, stored: StoredResult
) -> JoinResult:
    """Return what is known of the joined video, which is ``stored``, of the renders that were ``found``."""
    rendered = [render for render in found if render.status is RenderStatus.succeeded]
    return JoinResult(
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


def _chapters(rendered: Sequence[Render], results: Sequence[RenderResult]) -> tuple[Chapter, ...]:
    rate = results[0].frame_rate
    ends = [frames / rate for frames in itertools.accumulate(result.frames for result in results)]
    return tuple(
        Chapter(title=_title(render), start=start, end=end, render_id=render.id, item=render.item or 0)
        for render, start, end in zip(rendered, [0.0, *ends], ends, strict=False)
    )
