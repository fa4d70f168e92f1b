"""What a container sends of a render, taken for hostile and turned into the wire's messages and into files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.confined import MAX_SIDE_FILE
from manimcast.executors.modal import protocol
from manimcast.executors.modal.incoming import Incoming
from manimcast.executors.modal.parcels import Parcel
from manimcast.executors.modal.protocol import versions_in
from manimcast.harmless import harmless
from manimcast.spec import OutputFile, RenderReport, RenderSpec
from manimcast.wire import Message

MAX_SIDE_FILES = 4 * MAX_SIDE_FILE
"""Bytes of all posters and subtitles together."""


class Receiver(Incoming[wire.Finished]):
    """A render's items.

    What the render says inside them is the scene's: where that makes no sense, the render has failed, as it would have
    here. Once ``is_complete``, its files are in ``into``, and its segments in ``parcel``, if there is one.
    """

    def __init__(self, spec: RenderSpec, limits: wire.Limits, into: Path, parcel: Parcel | None = None) -> None:
        super().__init__()
        self._spec = spec
        self._limits = limits
        self._into = into
        self._parcel = parcel
        self._conversation = wire.Conversation()
        self._expected: list[OutputFile] = []
        self._file: IO[bytes] | None = None
        self._missing = 0
        self._is_closed = False
        self._began = time.monotonic()

    def close(self) -> None:
        """Close the file that was being written, if one was."""
        with self._busy:
            self._is_closed = True
            self._close_file()

    def _open(self, item: protocol.Opened) -> None:
        super()._open(item)
        if self._parcel is not None:
            self._parcel.opened(versions_in(item.facts))

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

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

    def _segment(self, item: protocol.Used | protocol.Segment) -> None:
        if self._parcel is None or self.end is None:
            return super()._segment(item)
        match item:
            case protocol.Used(keys=keys):
                self._parcel.used(keys)
            case protocol.Segment(key=key, size=size, data=data):
                self._parcel.take(key, size, data)
        return None

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
        if self._parcel is not None:
            self._parcel.close(finished=isinstance(self.end, wire.Finished))
