"""One render in a child of the warm process: launch it, listen, bound it, collect what it leaves.

Both executors end here: the local one, and the code in a container on Modal. Every byte that comes from the
child is hostile.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.printed import Printed
from manimcast.executors.verdict import died, timed_out, too_chatty, untrustworthy
from manimcast.sandbox.control import LAUNCH_REFUSED, Exited
from manimcast.sandbox.host.collect import CollectError, take
from manimcast.sandbox.host.zygote import Zygote, ZygoteError, ZygoteLimits
from manimcast.settings import MIB, Settings
from manimcast.spec import RenderReport, RenderSpec
from manimcast.wire import Message

PARTING_SECONDS = 5.0
"""How long a render may still live after it said that it is finished."""

MAX_SIDE_FILE = 64 * MIB
"""Bytes of a poster, of subtitles."""


def limits_of(settings: Settings) -> wire.Limits:
    """Return the operator's bounds on what a render may draw."""
    return wire.Limits(
        duration=settings.max_duration,
        frames=settings.max_frames,
        pixels=settings.max_pixels,
        frame_rate=settings.max_frame_rate,
        file_bytes=settings.max_video_mib * MIB,
    )


def zygote_limits_of(settings: Settings) -> ZygoteLimits:
    """Return the operator's bounds on what a render's processes may use."""
    cores = len(os.sched_getaffinity(0))
    return ZygoteLimits(
        memory=settings.render_memory * MIB,
        file_bytes=settings.max_video_mib * MIB,
        cpu_seconds=int(settings.render_timeout * max(4, cores)) + 10,
        processes=settings.render_processes,
        all_processes=(settings.slots + 1) * settings.render_processes,
    )


async def render_in_child(
    zygote: Zygote, job: wire.Job, *, render_id: str, into: Path, timeout: float
) -> AsyncGenerator[Message, None]:
    """Render ``job`` in a child of ``zygote`` within ``timeout`` seconds; the files come to lie in ``into``.

    As :meth:`manimcast.executors.base.Executor.render`: ends with Finished or Failed, raises
    :class:`ExecutorError` when the machinery is at fault, and leaves nothing running when it is closed.
    """
    began = time.monotonic()
    try:
        # Beside `into`, so that collecting stays on one file system.
        scratch = Path(tempfile.mkdtemp(prefix=f"{render_id}.", dir=into.parent))
    except OSError as error:
        raise ExecutorError(str(error)) from error
    try:
        if zygote.owner is not None:
            os.chown(scratch, *zygote.owner)
        attempt = _Attempt(zygote, scratch)
        try:
            async for message in attempt.messages(job, timeout):
                if isinstance(message, wire.Finished):
                    seconds = time.monotonic() - began
                    collect = attempt.collect
                    yield await asyncio.to_thread(collect, job.spec, message.report, into, job.limits, seconds)
                else:
                    yield message
        finally:
            await attempt.end()
    except (ZygoteError, OSError) as error:
        raise ExecutorError(str(error)) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


class _Attempt:
    """One child of the zygote, from its fork to its end."""

    def __init__(self, zygote: Zygote, scratch: Path) -> None:
        self._zygote = zygote
        self._printed = Printed()
        self._directory = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._exit: asyncio.Future[Exited] | None = None
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None

    async def messages(self, job: wire.Job, timeout: float) -> AsyncGenerator[Message, None]:
        """Start the render and yield what it says, the last message being its end, whoever declares it."""
        deadline = asyncio.get_running_loop().time() + timeout
        ours, theirs = socket.socketpair()
        log = await self._printed.open()
        with theirs, log:
            try:
                self._number, self._exit = self._zygote.launch(theirs.fileno(), self._directory, log.fileno())
            except ZygoteError:
                ours.close()
                raise
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        conversation = wire.Conversation()
        try:
            async with asyncio.timeout_at(deadline):
                self._writer.write(wire.encode(job))
                async for message in _heard(reader, conversation, self._printed):
                    yield message
        except TimeoutError:
            yield await self._fail(timed_out(timeout))
            return
        except wire.WireError as problem:
            yield await self._fail(untrustworthy(str(problem)))
            return
        except _TooChattyError:
            yield await self._fail(too_chatty(self._printed.limit))
            return
        ended = await self._exited()
        await self._printed.finished()
        for line in self._printed.lines():
            yield wire.Logged(level="info", text=line)
        if ended.status == LAUNCH_REFUSED:
            raise ZygoteError("the host refused to fork another process")
        match conversation.ended:
            case wire.Finished():
                yield conversation.ended
            case wire.Failed(error=error):
                yield wire.Failed(error=await self._printed.attached_to(error))
            case None:
                yield wire.Failed(error=await self._printed.attached_to(died(ended)))

    async def _fail(self, failed: wire.Failed) -> wire.Failed:
        await self.end()
        return wire.Failed(error=await self._printed.attached_to(failed.error))

    async def _exited(self) -> Exited:
        """Wait for the child's end, and bring it about when it stays on after its last word."""
        if self._exit is None:
            raise ZygoteError("the render was never started")
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                return await asyncio.shield(self._exit)
        self._zygote.kill_render(self._number)
        return await self._exit

    async def end(self) -> None:
        """Leave nothing of the render: no process, no descriptor."""
        if self._exit is not None:
            if not self._exit.done():
                self._zygote.kill_render(self._number)
            with suppress(ZygoteError):  # gone, and its children with it
                await asyncio.shield(self._exit)
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._printed.close()
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1

    def collect(
        self, spec: RenderSpec, report: RenderReport, into: Path, limits: wire.Limits, seconds: float
    ) -> wire.Finished | wire.Failed:
        """Copy the reported files into ``into``; what the render says of itself is not taken on trust."""
        if report.format is not spec.format or len({file.name for file in report.files}) != len(report.files):
            return untrustworthy("its report does not fit what was asked for")
        files = []
        try:
            for file in report.files:
                limit = limits.file_bytes if file.role in {"video", "section"} else MAX_SIDE_FILE
                size = take(self._directory, file.name, into / file.name, limit=limit)
                files.append(file.model_copy(update={"bytes": size}))
        except CollectError as error:
            return untrustworthy(f"a file that it reported cannot be taken: {error}")
        if not any(file.role == "video" for file in files):
            return untrustworthy("its report names no video")
        trusted = {
            "files": tuple(files),
            "fingerprint": self._zygote.fingerprint,
            "media_type": spec.format.media_type,
            "seed": spec.seed,
            "compute_seconds": round(seconds, 3),
        }
        return wire.Finished(report=report.model_copy(update=trusted))


class _TooChattyError(Exception):
    """The render prints without end."""


async def _heard(
    reader: asyncio.StreamReader, conversation: wire.Conversation, printed: Printed
) -> AsyncGenerator[Message, None]:
    """Yield messages and printed lines until the render announces its end or closes; the end itself is not yielded."""
    decoder = wire.FrameDecoder()
    reading = asyncio.ensure_future(reader.read(1 << 16))
    news = asyncio.ensure_future(printed.news.wait())
    try:
        while conversation.ended is None:
            await asyncio.wait({reading, news}, return_when=asyncio.FIRST_COMPLETED)
            if printed.flooded:
                raise _TooChattyError
            for line in printed.lines():
                yield wire.Logged(level="info", text=line)
            if news.done():
                news = asyncio.ensure_future(printed.news.wait())
            if not reading.done():
                continue
            try:
                data = reading.result()
            except ConnectionError:
                return
            if not data:
                return
            for body in decoder.feed(data):
                message = wire.parse(body)
                conversation.accept(message)
                if conversation.ended is None:
                    yield message
            reading = asyncio.ensure_future(reader.read(1 << 16))
    finally:
        reading.cancel()
        news.cancel()
