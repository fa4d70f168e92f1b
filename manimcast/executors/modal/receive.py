"""What a container sends, turned into the wire's messages and into files. All of it is taken for hostile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.confined import MAX_SIDE_FILE
from manimcast.executors.modal import protocol
from manimcast.executors.verdict import untrustworthy
from manimcast.harmless import harmless
from manimcast.spec import OutputFile, RenderReport, RenderSpec
from manimcast.wire import Message

MAX_SIDE_FILES = 4 * MAX_SIDE_FILE
"""Bytes of all posters and subtitles together."""


def writes(raw: object) -> bool:
    """Return whether taking the item ``raw`` means writing to a file, which takes its time."""
    return isinstance(raw, dict) and raw.get("type") in {"chunk", "closed"}


class Receiver:
    """One call's items, checked in their order.

    The container's own code is trusted to follow the protocol, so where it does not, the container is at fault and
    :class:`ExecutorError` is raised. What the render says inside is the scene's: where that makes no sense, the
    render has failed, as it would have here.

    Attributes
    ----------
    opened
        What the container said of itself first.
    end
        How the render ended; complete, with its files in ``into``, once ``is_complete``.
    is_settled
        Set when the render has failed by what it said, so that nothing more needs to be heard.
    """

    def __init__(self, spec: RenderSpec, limits: wire.Limits, into: Path) -> None:
        self._spec = spec
        self._limits = limits
        self._into = into
        self._next = 0
        self._conversation = wire.Conversation()
        self._expected: list[OutputFile] = []
        self._file: IO[bytes] | None = None
        self._missing = 0
        self._messages_left = wire.MAX_MESSAGES
        self._bytes_left = wire.MAX_STREAM
        self._busy = threading.Lock()
        self._is_closed = False
        self._began = time.monotonic()
        self.opened: protocol.Opened | None = None
        self.end: wire.Terminal | None = None
        self.is_complete = False
        self.is_settled = False

    def take(self, raw: object) -> list[Message]:
        """Take one item and return what the render says in it, its end excepted.

        Items that :func:`writes` may be taken in another thread, as long as one is taken after the other.
        """
        try:
            item = protocol.read(raw)
        except wire.WireError as error:
            raise ExecutorError(f"the container sent what is not understood: {error}") from error
        self._count(item)
        self._check_order(item)
        try:
            with self._busy:
                return list(self._taken(item))
        except OSError as error:
            raise ExecutorError(f"the files cannot be written here: {error.strerror or error}", again=False) from error

    def close(self) -> None:
        """Close the file that was being written, if one was."""
        with self._busy:
            self._is_closed = True
            self._close_file()

    def _taken(self, item: protocol.Item) -> Iterator[Message]:
        match item:
            case protocol.Opened():
                self.opened = item
            case protocol.Said(body=body):
                yield from self._said(body)
            case protocol.Chunk(name=name, data=data):
                self._chunk(name, data)
            case protocol.Closed(seconds=seconds):
                self._closed(seconds)
            case protocol.Fault(reason=reason):
                raise ExecutorError(f"the container is at fault: {harmless(reason)}")
            case protocol.Alive():
                pass

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _count(self, item: protocol.Item) -> None:
        """Bound what a container may say besides its files, as the wire does it for a render on this machine."""
        if not isinstance(item, protocol.Chunk):
            self._messages_left -= 1
            self._bytes_left -= len(item.body) if isinstance(item, protocol.Said) else 0
        if self._messages_left < 0 or self._bytes_left < 0:
            raise ExecutorError("the container says more than is listened to")

    def _check_order(self, item: protocol.Item) -> None:
        if self.opened is None:
            if not isinstance(item, protocol.Opened):
                raise ExecutorError("the container was lost before its first words arrived")
            if item.protocol != protocol.PROTOCOL:
                raise ExecutorError(
                    f"the deployed app speaks version {item.protocol} of the protocol, this service "
                    f"{protocol.PROTOCOL}: run manimcast deploy",
                    again=False,
                )
        elif item.run != self.opened.run:
            raise ExecutorError("the container was preempted, and the call began again in another one")
        elif isinstance(item, protocol.Opened):
            raise ExecutorError("the container began twice")
        if item.seq != self._next or self.is_complete:
            raise ExecutorError("something that the container sent was lost")
        self._next += 1

    def _said(self, body: bytes) -> Iterator[Message]:
        if self.end is not None:
            raise ExecutorError("the container went on after the end")
        try:
            message = wire.parse(body)
            self._conversation.accept(message)
        except wire.WireError as error:
            self._settle(str(error))
            return
        match message:
            case wire.Finished(report=report):
                self._announce(report)
            case wire.Failed():
                self.end = message
            case wire.Logged(text=text):
                yield message.model_copy(update={"text": harmless(text)})
            case _:
                yield message

    def _announce(self, report: RenderReport) -> None:
        """Check what is said of the files before a byte of them is taken."""
        if report.format is not self._spec.format or len({file.name for file in report.files}) != len(report.files):
            return self._settle("its report does not fit what was asked for")
        if sum(file.role == "video" for file in report.files) != 1:
            return self._settle("its report names no video, or several")
        for file in report.files:
            limit = self._limits.file_bytes if file.role in {"video", "section"} else MAX_SIDE_FILE
            if file.bytes > limit:
                return self._settle(f"{file.name}: {file.bytes} bytes; at most {limit} are allowed")
        most = 2 * self._limits.file_bytes + MAX_SIDE_FILES  # the sections together are about as large as the video
        if sum(file.bytes for file in report.files) > most:
            return self._settle(f"its files together have more than {most} bytes")
        self._expected = list(report.files)
        trusted = {"media_type": self._spec.format.media_type, "seed": self._spec.seed}
        self.end = wire.Finished(report=report.model_copy(update=trusted))
        return None

    def _settle(self, how: str) -> None:
        self.end = untrustworthy(how)
        self.is_settled = True

    def _chunk(self, name: str, data: bytes) -> None:
        if self._file is None:
            self._open_next()
        if self._file is None or name != self._expected[0].name or not data or len(data) > self._missing:
            raise ExecutorError("the container sent other files than it announced")
        self._file.write(data)
        self._missing -= len(data)
        if self._missing == 0:
            self._finish_file()

    def _open_next(self) -> None:
        while self._expected and self._expected[0].bytes == 0:
            self._create(self._expected.pop(0).name).close()
        if self._expected:
            self._file = self._create(self._expected[0].name)
            self._missing = self._expected[0].bytes

    def _finish_file(self) -> None:
        self._close_file()
        self._expected.pop(0)

    def _create(self, name: str) -> IO[bytes]:
        if self._is_closed:
            raise ExecutorError("the call was given up")
        return (self._into / name).open("xb")

    def _closed(self, seconds: float) -> None:
        if self.end is None:
            raise ExecutorError("the container ended without saying how the render did")
        if self._file is None:
            self._open_next()  # empty files have no chunks
        if isinstance(self.end, wire.Finished):
            if self._expected:
                raise ExecutorError("the container ended before all files had arrived")
            # What the container measured leaves out the way to it, but it cannot have taken longer than it seemed here.
            seconds = min(seconds, time.monotonic() - self._began)
            report = self.end.report.model_copy(update={"compute_seconds": round(seconds, 3)})
            self.end = wire.Finished(report=report)
        self.is_complete = True
