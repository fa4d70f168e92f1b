"""The wire, seen from the child."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

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
        self._look_ahead: Callable[[], tuple[int, int] | None] | None = None
        self._announcements: Announcements | None = None

    def read_job(self) -> wire.Job | wire.InspectJob | wire.TexJob | wire.FormatJob | wire.CanaryJob:
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
        return {"asked": self._asked, "answered": self._answered}

    def take_over(self, state: dict[str, int]) -> None:
        """Speak from this process, a fork of the one that did and is silent from now on, from its ``state`` on."""
        self._pid = os.getpid()
        self._asked, self._answered = state["asked"], state["answered"]
        self._look_ahead = None  # what could be announced was announced
        if self._announcements is not None:  # the other process has read some of them
            os.close(self._announcements.fileno())
            self._announcements = None

    def when_waiting(self, look_ahead: Callable[[], tuple[int, int] | None]) -> None:
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
        if os.getpid() != self._pid or not self._asking.acquire(blocking=False):
            return None
        try:
            return self._ask(source, compiler, output_format)
        finally:
            self._asking.release()

    def _ask(self, source: str, compiler: str | Sequence[str], output_format: str) -> TexResult | None:
        number = self._asked + 1
        document = {"source": source, "compiler": compiler, "output_format": output_format}
        try:
            frame = wire.encode(wire.Typeset.model_validate({"number": number, **document}))
        except (ValidationError, wire.WireError):
            return None  # a compiler that the service does not know, or more text than it reads
        if number > wire.MAX_QUESTIONS:
            return None
        answer: TexResult | None = None
        while self._answered < self._asked:  # a signal handler of the scene broke off the wait for it
            self._read_answer()
        self._asked = number
        self._write(frame)
        while self._answered < number:
            answer = self._read_answer()
        return answer

    def _await_answer(self) -> None:
        """Wait until there is something to read, and be useful meanwhile."""
        while True:
            sources: list[socket.socket | Announcements] = [self._socket]
            if self._announcements is not None:
                sources.append(self._announcements)
            ready = select.select(sources, [], [], PATIENCE if self._look_ahead is not None else None)[0]
            if self._announcements in ready:
                self._pass_on()
            if self._socket in ready:
                return
            if not ready and self._look_ahead is not None:
                look_ahead, self._look_ahead = self._look_ahead, None
                try:
                    found = look_ahead()
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

    def _read_answer(self) -> TexResult | None:
        self._await_answer()
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
        except OSError:
            os._exit(75)
