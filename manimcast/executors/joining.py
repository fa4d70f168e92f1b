"""Joins stored videos in a child of the warm process: outside of one, nobody looks into them.

The child gets the videos' bytes and their titles, and nothing else. What it leaves is a file like that of a render.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from manimcast import wire
from manimcast.executors.base import Executor, ExecutorError
from manimcast.sandbox.host.collect import CollectError, take
from manimcast.sandbox.host.launch import Child
from manimcast.sandbox.host.scratch import scratch
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.spec import Format


class CannotJoinError(Exception):
    """The videos cannot be joined, whoever tries. The message says why."""


@dataclass(frozen=True)
class VideoKind:
    """What videos in one file have in common. Lengths are in pixels."""

    format: Format
    width: int
    height: int
    frame_rate: float
    transparent: bool


@dataclass(frozen=True)
class Video:
    """A video to join. ``open`` returns its file, ``size`` bytes long, once it is its turn; errors call it ``name``."""

    size: int
    frames: int
    title: str
    name: str
    open: Callable[[], Awaitable[BinaryIO]]


@runtime_checkable
class Joiner(Executor, Protocol):
    """An executor that can also join videos."""

    async def join(self, videos: Sequence[Video], kind: VideoKind, *, into: Path, timeout: float) -> Path:
        """Join ``videos`` within ``timeout`` seconds; return the file, which is in the folder ``into``.

        Raises :class:`CannotJoinError`, :class:`~manimcast.executors.base.ExecutorError` when the machinery is at
        fault, and whatever ``open`` of a video raises. When it is canceled, nothing runs on.
        """


async def join_in_child(
    zygote: Zygote, videos: Sequence[Video], kind: VideoKind, *, into: Path, timeout: float, most: int
) -> Path:
    """Join ``videos`` in a child of ``zygote``, to a file of at most ``most`` bytes; see :meth:`Joiner.join`."""
    job = wire.JoinJob(
        format=kind.format,
        width=kind.width,
        height=kind.height,
        frame_rate=kind.frame_rate,
        transparent=kind.transparent,
        file_bytes=most,
        parts=tuple(
            wire.JoinPart(bytes=video.size, frames=video.frames, title=video.title, name=video.name) for video in videos
        ),
    )
    target = into / f"video.{kind.format}"
    limit = asyncio.timeout(timeout)
    try:
        async with scratch(zygote, "join", into.parent) as folder, limit:
            child = await Child.start(zygote, scratch=folder)

            async def pass_on() -> None:
                for video in videos:
                    with await video.open() as file:
                        await child.pass_on(file, 0, video.size)

            try:
                child.send(job)
                done = await child.only_answer(wire.parse_from_join, greeted_with=pass_on)
                if done is None:
                    await child.exited()  # unless it went with the warm process, which is nobody's fault
                    raise CannotJoinError(
                        "the process that joins them died: they may take more memory than it may have"
                    )
                if done.fault is not None:
                    raise CannotJoinError(done.fault)
                working = asyncio.ensure_future(
                    asyncio.to_thread(take, child.directory(), f"{wire.JOINED}.{kind.format}", target, limit=most)
                )
                try:
                    await asyncio.shield(working)
                finally:
                    await asyncio.wait({working})
            finally:
                await child.end()
    except TimeoutError:
        if not limit.expired():  # it was another one: that of whoever opens a video
            raise
        raise CannotJoinError(f"joining them took longer than {timeout:g} seconds") from None
    except (wire.WireError, CollectError) as error:
        raise CannotJoinError(f"the process that joins them cannot be trusted: {error}") from error
    except ZygoteError as error:
        raise ExecutorError(str(error)) from error
    return target
