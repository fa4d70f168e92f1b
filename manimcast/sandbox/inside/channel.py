"""The wire, seen from the child."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence

from pydantic import ValidationError

from manimcast import wire
from manimcast.spec import Strict
from manimcast.tex import TexResult


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

    def read_job(self) -> wire.Job | wire.TexJob | wire.CanaryJob:
        """Return the job, the first thing that the service sends."""
        decoder = wire.FrameDecoder(max_frame=wire.MAX_JOB_FRAME, max_messages=1)
        while True:
            data = self._socket.recv(1 << 16)
            if not data:
                raise wire.WireError("the service hung up before it sent the job")
            for body in decoder.feed(data):
                return wire.parse_job(body)

    def send(self, message: Strict) -> None:
        """Send ``message``; when nobody listens any more there is nothing left to render for.

        A process that the scene forked off says nothing: it is not the render, though it runs the same code.
        """
        if os.getpid() == self._pid:
            self._write(wire.encode(message))

    def state(self) -> dict[str, int]:
        """Return how far the conversation is; not while a question is open."""
        return {"asked": self._asked, "answered": self._answered}

    def take_over(self, state: dict[str, int]) -> None:
        """Speak from this process, a fork of the one that did and is silent from now on, from its ``state`` on."""
        self._pid = os.getpid()
        self._asked, self._answered = state["asked"], state["answered"]

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

    def _read_answer(self) -> TexResult | None:
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
