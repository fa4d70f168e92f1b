"""One render in a child of the warm process: launch it, listen, bound it, collect what it leaves.

Both executors end here: the local one, and the code in a container on Modal. Every byte that comes from the
child is hostile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from manimcast import processors, wire
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorError
from manimcast.executors.printed import Printed
from manimcast.executors.segments import RenderSegments
from manimcast.executors.tex_child import dump_in_child, typeset_in_child
from manimcast.executors.typeset import Typesetter
from manimcast.executors.verdict import died, timed_out, too_chatty, untrustworthy
from manimcast.sandbox.host.collect import CollectError, take
from manimcast.sandbox.host.launch import Child
from manimcast.sandbox.host.scratch import scratch
from manimcast.sandbox.host.zygote import Zygote, ZygoteError
from manimcast.sandbox.layers import tier_of
from manimcast.sandbox.orders import Bounds
from manimcast.settings import MIB, Settings
from manimcast.spec import OutputRole, RenderReport, RenderSpec, Sandbox
from manimcast.wire import Message

logger = logging.getLogger(__name__)

MOST_FILES = {OutputRole.video: 1, OutputRole.poster: 1, OutputRole.subtitles: 2, OutputRole.section: 1000}
"""Files of each kind that one render leaves; subtitles come in two formats."""
PROCESSES_A_DRAWER = 8
"""Processes and threads of a process that draws: itself, those of two encoders, one of which may be done, and one of
the scene's own."""
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
        drawers=max(1, min(settings.drawers, settings.render_processes // PROCESSES_A_DRAWER)),
        memory=settings.render_memory * MIB,
    )


def bounds_of(settings: Settings) -> Bounds:
    """Return the operator's bounds on what a render's processes may use."""
    return Bounds(
        memory=settings.render_memory * MIB,
        file_bytes=settings.max_video_mib * MIB,
        cpu_seconds=int(settings.render_timeout * max(4, processors.count())) + 10,
        processes=settings.render_processes,
        files_bytes=settings.render_disk * MIB,
        files=settings.render_files,
    )


async def render_in_child(
    zygote: Zygote,
    job: wire.Job,
    *,
    render_id: str,
    into: Path,
    timeout: float,
    typesetter: Typesetter,
    segments: RenderSegments | None = None,
    attached: Sequence[Attachment] = (),
) -> AsyncGenerator[Message, None]:
    """Render ``job`` in a child of ``zygote`` within ``timeout`` seconds; the files come to lie in ``into``.

    ``typesetter`` answers what it asks of TeX, and ``segments`` has what is kept of its tenant's renders;
    ``attached`` are its assets. As
    :meth:`manimcast.executors.base.Executor.render`: ends with Finished or Failed, raises :class:`ExecutorError` when
    the machinery is at fault, and leaves nothing running when it is closed.
    """
    began = time.monotonic()
    try:
        async with scratch(zygote, render_id, into.parent) as folder:
            attempt = _Attempt(zygote, folder, typesetter, segments, into.parent, attached=attached)
            try:
                async for message in attempt.messages(job, timeout):
                    if isinstance(message, wire.Inspecting):
                        continue  # never: its conversation does not let them pass
                    if isinstance(message, wire.Terminal):
                        await attempt.keep_segments()
                    if isinstance(message, wire.Finished):
                        seconds = time.monotonic() - began
                        yield await _to_the_end(attempt.collect, job.spec, message.report, into, job.limits, seconds)
                    else:
                        yield message
            finally:
                await attempt.end()
    except (ZygoteError, OSError) as error:
        raise ExecutorError(str(error)) from error


async def inspect_in_child(
    zygote: Zygote,
    job: wire.InspectJob,
    *,
    beside: Path,
    timeout: float,
    typesetter: Typesetter,
    attached: Sequence[Attachment] = (),
) -> AsyncGenerator[Message | wire.Inspecting, None]:
    """Run ``job`` dry in a child of ``zygote`` within ``timeout`` seconds; confined and bounded like a render.

    Ends with :class:`~manimcast.wire.Inspected` or :class:`~manimcast.wire.Failed`; else as :func:`render_in_child`.
    """
    try:
        async with scratch(zygote, "inspect", beside) as folder:
            attempt = _Attempt(zygote, folder, typesetter, None, beside, attached=attached)
            try:
                async for message in attempt.messages(job, timeout):
                    yield message
            finally:
                await attempt.end()
    except (ZygoteError, OSError) as error:
        raise ExecutorError(str(error)) from error


class _Attempt:
    """One child of the zygote, from its fork to its end."""

    def __init__(
        self,
        zygote: Zygote,
        folder: Path | None,
        typesetter: Typesetter,
        segments: RenderSegments | None,
        beside: Path,
        *,
        attached: Sequence[Attachment],
    ) -> None:
        self._zygote = zygote
        self._scratch = folder
        self._typesetter = typesetter
        self._segments = segments
        self._run_tex = partial(typeset_in_child, zygote, beside=beside)
        self._dump_tex = partial(dump_in_child, zygote, beside=beside)
        self._printed = Printed()
        self._child: Child | None = None
        self._foreseen: set[asyncio.Task[None]] = set()
        self._attached = attached
        self._delivery: asyncio.Task[None] | None = None

    async def messages(
        self, job: wire.Job | wire.InspectJob, timeout: float
    ) -> AsyncGenerator[Message | wire.Inspecting, None]:
        """Start the job and yield what it says, the last message being its end, whoever declares it."""
        deadline = asyncio.get_running_loop().time() + timeout
        with await self._printed.open() as log:
            self._child = await Child.start(self._zygote, log=log.fileno(), scratch=self._scratch)
        conversation = wire.Conversation(inspection=isinstance(job, wire.InspectJob))
        try:
            async with asyncio.timeout_at(deadline):
                self._child.send(job)
                heard = _heard(self._child.reader, conversation, self._printed, self._answer, self._note)
                async with aclosing(heard) as messages:
                    async for message in messages:
                        if isinstance(message, wire.Hello) and self._attached:
                            self._delivery = asyncio.create_task(self._deliver())
                        yield message
        except TimeoutError:
            await self._child.stop()
            await self.keep_segments()  # what was drawn in time need not be drawn when it has more of it
            yield await self._fail(timed_out(timeout))
            return
        except wire.WireError as problem:
            yield await self._fail(untrustworthy(str(problem)))
            return
        except _TooChattyError:
            yield await self._fail(too_chatty(self._printed.limit))
            return
        ended = await self._child.exited()
        await self._printed.finished()
        for line in self._printed.lines():
            yield wire.Logged(level="info", text=line)
        if ended.refused:
            raise ZygoteError("the host refused to fork another process")
        if not conversation.greeted:  # nothing of the scene has run, whatever the exit status
            logger.error("A child could not be confined: %s", self._zygote.last_words())
            raise ZygoteError("a child could not be confined; the service's log says more")
        match conversation.ended:
            case wire.Finished() | wire.Inspected():
                yield conversation.ended
            case wire.Failed(error=error):
                yield wire.Failed(error=await self._printed.attached_to(error))
            case None:
                yield wire.Failed(error=await self._printed.attached_to(died(ended)))

    async def _deliver(self) -> None:
        """Pass the assets on. When the render no longer listens, its end tells."""
        assert self._child is not None  # noqa: S101  it said hello
        with suppress(ConnectionError):
            for attachment in self._attached:
                await self._child.pass_on(attachment.file, 0, attachment.size)

    async def keep_segments(self) -> None:
        """Keep what the render, which has ended, has offered."""
        if self._segments is not None and self._child is not None:
            try:
                directory = self._child.directory()
            except ZygoteError:
                return
            if directory >= 0:  # else it was ended, and what it had is gone
                await _to_the_end(self._segments.keep, directory)

    async def _answer(self, question: wire.Typeset | wire.SegmentsAsked, conversation: wire.Conversation) -> None:
        """Answer a question of the render's, and wait until it has taken the answer."""
        assert self._child is not None  # noqa: S101  it asked
        answer: wire.Typesetting | wire.SegmentsFound
        if isinstance(question, wire.Typeset):
            answer = await self._typesetter.answer(question, self._zygote.fingerprint, self._run_tex, self._dump_tex)
        elif self._segments is not None:
            answer = await _to_the_end(self._segments.answer, question, self._child.directory())
        else:
            answer = wire.SegmentsFound(number=question.number, keys=())
        conversation.answered()
        if self._delivery is not None:  # a render that asks before it has taken its assets waits for ever
            await asyncio.wait({self._delivery})
        try:
            self._child.send(answer)
        except wire.WireError:  # too long for a message
            self._child.send(wire.Typesetting(number=question.number, reason="unavailable"))
        with suppress(ConnectionError):
            await self._child.drain()

    def _foresee(self, document: wire.Foreseen) -> None:
        """Have a document typeset that the render will probably ask about, as long as the render lasts."""
        work = self._typesetter.foresee(document, self._zygote.fingerprint, self._run_tex, self._dump_tex)
        task = asyncio.create_task(work)
        self._foreseen.add(task)
        task.add_done_callback(self._foreseen.discard)

    def _note(self, message: wire.Foreseen | wire.SegmentsMade) -> None:
        """Take note of what needs no answer."""
        if isinstance(message, wire.Foreseen):
            self._foresee(message)
        elif self._segments is not None:
            self._segments.note(message.segments)

    async def _fail(self, failed: wire.Failed) -> wire.Failed:
        await self.end()
        return wire.Failed(error=await self._printed.attached_to(failed.error))

    async def end(self) -> None:
        """Leave nothing of the render: no process, no descriptor."""
        for task in self._foreseen:
            task.cancel()
        if self._delivery is not None:
            self._delivery.cancel()
            await asyncio.wait({self._delivery})
        if self._foreseen:
            await asyncio.wait(self._foreseen)
        if self._child is not None:
            await self._child.end()
        self._printed.close()

    def collect(
        self, spec: RenderSpec, report: RenderReport, into: Path, limits: wire.Limits, seconds: float
    ) -> wire.Finished | wire.Failed:
        """Copy the reported files into ``into``; what the render says of itself is not taken on trust."""
        most = MOST_FILES if spec.save_sections else {**MOST_FILES, OutputRole.section: 0}
        if (
            report.format is not spec.format
            or len({file.name for file in report.files}) != len(report.files)
            or any(sum(file.role is role for file in report.files) > number for role, number in most.items())
        ):
            return untrustworthy("its report does not fit what was asked for")
        files = []
        assert self._child is not None  # noqa: S101  it reported
        directory = self._child.directory()
        try:
            left = {OutputRole.video: limits.file_bytes, OutputRole.section: limits.file_bytes}
            for file in report.files:
                limit = left.get(file.role, MAX_SIDE_FILE)
                size = take(directory, file.name, into / file.name, limit=limit)
                if file.role in left:
                    left[file.role] -= size  # all sections together may be no longer than a video
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
            "sandbox": Sandbox(
                tier=tier_of(self._zygote.layers).value,
                layers=tuple(sorted(layer.value for layer in self._zygote.layers)),
            ),
            "compute_seconds": round(seconds, 3),
        }
        return wire.Finished(report=report.model_copy(update=trusted))


class _TooChattyError(Exception):
    """The render prints without end."""


_Answer = Callable[[wire.Typeset | wire.SegmentsAsked, wire.Conversation], Awaitable[None]]
_Note = Callable[[wire.Foreseen | wire.SegmentsMade], None]
_P = ParamSpec("_P")
_T = TypeVar("_T")


async def _to_the_end(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Do ``work`` in a thread, also when this is canceled: it uses descriptors that are closed afterwards."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(working)
    finally:
        await asyncio.wait({working})


async def _heard(
    reader: asyncio.StreamReader,
    conversation: wire.Conversation,
    printed: Printed,
    answer: _Answer,
    note: _Note,
) -> AsyncGenerator[Message | wire.Inspecting, None]:
    """Yield messages and printed lines until the render announces its end or closes; the end itself is not yielded.

    What it asks meanwhile is answered by ``answer``, and what it announces and offers handed to ``note``.
    """
    decoder = wire.FrameDecoder()
    answering: asyncio.Future[None] | None = None
    reading = asyncio.ensure_future(reader.read(1 << 16))
    news = asyncio.ensure_future(printed.news.wait())
    try:
        while conversation.ended is None:
            awaited: set[asyncio.Future[Any]] = {reading, news, *_pending(answering)}
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            for line in _lines(printed):
                yield wire.Logged(level="info", text=line)
            if news.done():
                news = asyncio.ensure_future(printed.news.wait())
            if not reading.done():
                continue
            data = _taken(reading)
            if not data:
                return
            for message in _accepted(decoder.feed(data), conversation, note):
                if isinstance(message, wire.Typeset | wire.SegmentsAsked):
                    if answering is not None:
                        await answering  # until the last answer is taken, the next is not made
                    answering = asyncio.ensure_future(answer(message, conversation))
                elif conversation.ended is None:
                    yield message
            reading = asyncio.ensure_future(reader.read(1 << 16))
    finally:
        reading.cancel()
        news.cancel()
        if answering is not None:
            answering.cancel()
            await asyncio.wait({answering})


def _lines(printed: Printed) -> list[str]:
    if printed.flooded:
        raise _TooChattyError
    return list(printed.lines())


def _accepted(
    bodies: list[bytes], conversation: wire.Conversation, note: _Note
) -> Iterator[Message | wire.Inspecting | wire.Typeset | wire.SegmentsAsked]:
    """Yield what is said in ``bodies``, but for what needs no answer, which is taken note of."""
    for body in bodies:
        message = wire.parse_spoken(body)
        conversation.accept(message)
        if isinstance(message, wire.Foreseen | wire.SegmentsMade):
            note(message)
        else:
            yield message


def _pending(answering: asyncio.Future[None] | None) -> set[asyncio.Future[None]]:
    """Return what there is to wait for; an answer that could not be given raises what went wrong."""
    if answering is None:
        return set()
    if answering.done():
        answering.result()
        return set()
    return {answering}


def _taken(reading: asyncio.Future[bytes]) -> bytes:
    try:
        return reading.result()
    except ConnectionError:
        return b""
