"""What a container sends, turned into the wire's messages and into files. All of it is taken for hostile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.confined import MAX_SIDE_FILE
from manimcast.executors.modal import protocol
from manimcast.executors.printed import harmless
from manimcast.executors.verdict import untrustworthy
from manimcast.spec import OutputFile, RenderReport, RenderSpec
from manimcast.wire import Message


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
        self.opened: protocol.Opened | None = None
        self.end: wire.Terminal | None = None
        self.is_complete = False
        self.is_settled = False

    def take(self, raw: object) -> Iterator[Message]:
        """Take one item and yield what the render says in it, its end excepted."""
        try:
            item = protocol.read(raw)
        except wire.WireError as error:
            raise ExecutorError(f"the container sent what is not understood: {error}") from error
        self._check_order(item)
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
                raise ExecutorError(f"the container is at fault: {harmless(reason.encode())}")
            case protocol.Alive():
                pass

    def close(self) -> None:
        """Close the file that was being written, if one was."""
        if self._file is not None:
            self._file.close()
            self._file = None

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
                yield message.model_copy(update={"text": harmless(text.encode("utf-8", "replace"))})
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
            (self._into / self._expected.pop(0).name).open("xb").close()
        if self._expected:
            self._file = (self._into / self._expected[0].name).open("xb")
            self._missing = self._expected[0].bytes

    def _finish_file(self) -> None:
        self.close()
        self._expected.pop(0)

    def _closed(self, seconds: float) -> None:
        if self.end is None:
            raise ExecutorError("the container ended without saying how the render did")
        if self._file is None:
            self._open_next()  # empty files have no chunks
        if isinstance(self.end, wire.Finished):
            if self._expected:
                raise ExecutorError("the container ended before all files had arrived")
            report = self.end.report.model_copy(update={"compute_seconds": round(seconds, 3)})
            self.end = wire.Finished(report=report)
        self.is_complete = True
