"""Render on this machine: a child of the warm process draws, this side listens, bounds and collects."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from manimcast import wire
from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.price import Rate
from manimcast.executors.printed import Printed
from manimcast.executors.verdict import died, timed_out, too_chatty, untrustworthy
from manimcast.sandbox.control import LAUNCH_REFUSED, Exited
from manimcast.sandbox.host.collect import CollectError, take
from manimcast.sandbox.host.supervisor import Supervisor
from manimcast.sandbox.host.zygote import Zygote, ZygoteError, ZygoteLimits
from manimcast.settings import MIB, Settings
from manimcast.spec import RenderReport, RenderSpec
from manimcast.wire import Message

PARTING_SECONDS = 5.0
"""How long a render may still live after it said that it is finished."""

MAX_SIDE_FILE = 64 * MIB


class LocalExecutor:
    """The executor that renders in processes of this machine."""

    name = "local"
    tries = 3
    overtime = 60.0

    def __init__(self, settings: Settings) -> None:
        self.slots = settings.slots
        self.rate = Rate(
            cores=len(os.sched_getaffinity(0)) / settings.slots,
            gib=settings.render_memory / 1024,
            usd_core_second=settings.local_price_core_second,
            usd_gib_second=settings.local_price_gib_second,
        )
        self._limits = wire.Limits(
            duration=settings.max_duration,
            frames=settings.max_frames,
            pixels=settings.max_pixels,
            frame_rate=settings.max_frame_rate,
            file_bytes=settings.max_video_mib * MIB,
        )
        cores = len(os.sched_getaffinity(0))
        zygote_limits = ZygoteLimits(
            memory=settings.render_memory * MIB,
            file_bytes=settings.max_video_mib * MIB,
            cpu_seconds=int(settings.render_timeout * max(4, cores)) + 10,
            processes=settings.render_processes,
            all_processes=(settings.slots + 1) * settings.render_processes,
        )
        self._supervisor = Supervisor(zygote_limits, recycle=settings.recycle_renders)

    async def start(self) -> None:
        """Begin to warm up; returns at once."""
        await self._supervisor.start()

    async def stop(self) -> None:
        """End every render and the warm process."""
        await self._supervisor.stop()

    def status(self) -> ExecutorStatus:
        """Tell whether a render could start, and what would keep it apart."""
        state = self._supervisor.state()
        return ExecutorStatus(
            available=state.ready or state.starting,
            reason=state.reason,
            details={
                "ready": state.ready,
                "restarts": state.restarts,
                "sandbox": {"tier": "basic" if state.layers else "none", "layers": list(state.layers)},
            },
        )

    async def render(
        self, spec: RenderSpec, *, render_id: str, into: Path, timeout: float
    ) -> AsyncGenerator[Message, None]:
        """Render ``spec`` within ``timeout`` seconds; see :class:`~manimcast.executors.base.Executor`."""
        try:
            zygote = await self._supervisor.zygote()
            # Beside `into`, so that collecting stays on one file system.
            scratch = Path(tempfile.mkdtemp(prefix=f"{render_id}.", dir=into.parent))
        except (ZygoteError, OSError) as error:
            raise ExecutorError(str(error)) from error
        try:
            attempt = _Attempt(zygote, scratch)
            try:
                async for message in attempt.messages(wire.Job(spec=spec, limits=self._limits), timeout):
                    if isinstance(message, wire.Finished):
                        yield await asyncio.to_thread(attempt.collect, spec, message.report, into, self._limits)
                    else:
                        yield message
            except (ZygoteError, OSError) as error:
                raise ExecutorError(str(error)) from error
            finally:
                await attempt.end()
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
            self._number, self._exit = self._zygote.launch(theirs.fileno(), self._directory, log.fileno())
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
        self, spec: RenderSpec, report: RenderReport, into: Path, limits: wire.Limits
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
