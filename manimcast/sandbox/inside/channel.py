"""The wire, seen from the child."""

from __future__ import annotations

import functools
import itertools
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from manimcast import wire
from manimcast.spec import Strict
from manimcast.tex import TexResult

PATIENCE = 0.01
"""Seconds after which an answer is one that has to be made."""


class Announcements:
    """Whole frames, from the pipe ``descriptor`` that the child process ``pid`` writes to."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self._pid = pid
        self._descriptor = descriptor
        self._decoder = wire.FrameDecoder(max_messages=wire.MAX_FORESEEN)

    def fileno(self) -> int:
        """Return the pipe's descriptor."""
        return self._descriptor

    def read(self) -> list[bytes] | None:
        """Return the frames that are whole by now, at least one byte being there; None when no more will come."""
        with suppress(OSError, wire.WireError):
            if data := os.read(self._descriptor, 1 << 16):
                return [wire.HEADER.pack(len(body)) + body for body in self._decoder.feed(data)]
        os.close(self._descriptor)
        with suppress(ChildProcessError):  # the scene was faster
            os.waitpid(self._pid, 0)
        return None


_LookAhead = Callable[[], tuple[int, int] | None]
_Answer = wire.Typesetting | wire.SegmentsFound
_Job = wire.Job | wire.InspectJob | wire.TexJob | wire.FormatJob | wire.JoinJob | wire.CanaryJob
_T = TypeVar("_T")


class Channel:
    """Read the job from the socket ``descriptor``, say how it goes, ask questions."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._pid = os.getpid()
        self._asking = threading.Lock()
        self._answers = wire.FrameDecoder(
            max_frame=wire.MAX_TEX_FRAME, max_stream=wire.MAX_QUESTIONS * wire.MAX_TEX_FRAME
        )
        self._asked = 0
        self._answered = 0
        self._offered = 0
        self._look_ahead: _LookAhead | None = None
        self._announcements: Announcements | None = None

    def read_job(self) -> _Job:
        """Return the job, the first thing that the service sends."""
        decoder = wire.FrameDecoder(max_frame=wire.MAX_JOB_FRAME, max_messages=1)
        while True:
            data = self._socket.recv(1 << 16)
            if not data:
                raise wire.WireError("the service hung up before it sent the job")
            for body in decoder.feed(data):
                return wire.parse_job(body)

    def receive(self, size: int, path: Path) -> None:
        """Write the ``size`` bytes that come next, which are no messages, to the new file ``path``."""
        buffer = memoryview(bytearray(1 << 18))
        with path.open("xb", buffering=0) as file:
            while size:
                count = self._socket.recv_into(buffer[: min(size, len(buffer))])
                if not count:
                    raise wire.WireError("the service hung up before it sent everything")
                written = 0
                while written < count:
                    written += file.write(buffer[written:count])
                size -= count

    def send(self, message: Strict) -> None:
        """Send ``message``; when nobody listens any more there is nothing left to render for.

        A process that the scene forked off says nothing: it is not the render, though it runs the same code.
        """
        if os.getpid() == self._pid:
            if self._announcements is not None and select.select([self._announcements], [], [], 0)[0]:
                self._pass_on()
            self._write(wire.encode(message))

    def state(self) -> dict[str, int]:
        """Return how far the conversation is; not while a question is open."""
        return {"asked": self._asked, "answered": self._answered, "offered": self._offered}

    def take_over(self, state: dict[str, int]) -> None:
        """Speak from this process, a fork of the one that did and is silent from now on, from its ``state`` on."""
        self._pid = os.getpid()
        self._asked, self._answered = state["asked"], state["answered"]
        self._offered = state["offered"]
        self._look_ahead = None  # what could be announced was announced
        if self._announcements is not None:  # the other process has read some of them
            os.close(self._announcements.fileno())
            self._announcements = None

    def when_waiting(self, look_ahead: _LookAhead) -> None:
        """Call ``look_ahead`` when an answer does not come at once, but only the first time.

        It returns a process and a descriptor from which frames are passed on, whenever there are some and something
        else is said or waited for; or None. Where it raises an exception, this process is another one and has no wire
        any more.
        """
        self._look_ahead = look_ahead

    def typeset(self, source: str, compiler: str | Sequence[str], output_format: str) -> TexResult | None:
        """Ask what TeX makes of a document; None when this cannot be asked.

        Only this process asks, and one thread at a time: others, and processes that the scene forks, are on their own.
        """
        document = {"source": source, "compiler": compiler, "output_format": output_format}
        answer = self._ask(
            lambda number: wire.Typeset.model_validate({"number": number, **document}), look_ahead=self._look_ahead
        )
        return answer if isinstance(answer, wire.Typesetting) else None

    def segments(self, keys: Sequence[str]) -> dict[str, Path]:
        """Ask for kept segments; return where those lie that there are, by their keys. As :meth:`typeset`.

        ``keys`` are digests of 64 hexadecimal digits. Each may be asked for once.
        """
        found: dict[str, Path] = {}
        folder = Path(wire.REUSE).absolute()
        for some in _batches(keys):
            folder.mkdir(parents=True, exist_ok=True)
            fresh = tuple(key for key in some if _make_file(folder / key))
            answer = self._ask(functools.partial(_asked, fresh)) if fresh else None
            there = set(answer.keys) if isinstance(answer, wire.SegmentsFound) else set()
            for key in fresh:
                if key in there:
                    found[key] = folder / key
                else:
                    (folder / key).unlink(missing_ok=True)
        return found

    def offer(self, segments: Mapping[str, Path]) -> None:
        """Offer segments to be kept, by their keys. They must lie there until this process ends.

        Beyond :data:`wire.MAX_MADE` in all, none are.
        """
        here = Path.cwd()
        made = [
            wire.MadeSegment(key=key, path=str(path.relative_to(here)))
            for key, path in itertools.islice(segments.items(), wire.MAX_MADE - self._offered)
        ]
        self._offered += len(made)
        for some in _batches(made):
            self.send(wire.SegmentsMade(segments=tuple(some)))

    def _ask(self, question: Callable[[int], Strict], *, look_ahead: _LookAhead | None = None) -> _Answer | None:
        if os.getpid() != self._pid or not self._asking.acquire(blocking=False):
            return None
        try:
            return self._answer_to(question, look_ahead)
        finally:
            self._asking.release()

    def _answer_to(self, question: Callable[[int], Strict], look_ahead: _LookAhead | None) -> _Answer | None:
        number = self._asked + 1
        try:
            frame = wire.encode(question(number))
        except (ValidationError, wire.WireError):
            return None  # a compiler that the service does not know, or more text than it reads
        if number > wire.MAX_QUESTIONS:
            return None
        answer: _Answer | None = None
        while self._answered < self._asked:  # a signal handler of the scene broke off the wait for it
            self._read_answer(None)
        self._asked = number
        self._write(frame)
        while self._answered < number:
            answer = self._read_answer(look_ahead if self._look_ahead is not None else None)
        return answer

    def _await_answer(self, look_ahead: _LookAhead | None) -> None:
        """Wait until there is something to read, and call ``look_ahead`` if that takes long."""
        while True:
            sources: list[socket.socket | Announcements] = [self._socket]
            if self._announcements is not None:
                sources.append(self._announcements)
            ready = select.select(sources, [], [], PATIENCE if look_ahead is not None else None)[0]
            if self._announcements in ready:
                self._pass_on()
            if self._socket in ready:
                return
            if not ready and look_ahead is not None:
                now, look_ahead, self._look_ahead = look_ahead, None, None
                try:
                    found = now()
                except BaseException:
                    self._socket.close()
                    raise
                self._announcements = Announcements(*found) if found is not None else None

    def _pass_on(self) -> None:
        assert self._announcements is not None  # noqa: S101  there is something to pass on
        frames = self._announcements.read()
        if frames is None:
            self._announcements = None
        for frame in frames or ():
            self._write(frame)

    def _read_answer(self, look_ahead: _LookAhead | None) -> _Answer | None:
        self._await_answer(look_ahead)
        data = self._socket.recv(1 << 18)
        if not data:
            os._exit(75)
        answer = None
        for body in self._answers.feed(data):
            answer = wire.parse_answer(body)
            self._answered = answer.number
        return answer

    def _write(self, frame: bytes) -> None:
        try:
            self._socket.sendall(frame)
        except OSError as error:
            if error.errno is None:
                raise  # by a signal handler of the scene's: a TimeoutError, say, is an OSError as well
            os._exit(75)


def _asked(keys: tuple[str, ...], number: int) -> wire.SegmentsAsked:
    return wire.SegmentsAsked(number=number, keys=keys)


def _make_file(path: Path) -> bool:
    """Make an empty file, and tell whether there was none yet."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError:
        return False
    return True


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[first : first + wire.MAX_KEYS] for first in range(0, len(items), wire.MAX_KEYS))
