"""What this process has printed, so that a copy of it which prints the same again leaves that out."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from typing import Any

Place = tuple[int, int]
"""How far printing is: lines, and bytes of the line that is not whole."""


class _Stream:
    """Counts what is written by ``raw``, the lowest part of one of Python's own streams."""

    def __init__(self, raw: Any) -> None:
        self._write_on = raw.write
        self._lines, self._bytes = 0, 0
        self._lines_left, self._bytes_left = 0, 0
        raw.write = self._write

    def place(self) -> Place:
        """Return how far it is."""
        return self._lines, self._bytes

    def leave_out(self, place: Place) -> None:
        """Write nothing until ``place`` is reached."""
        self._lines_left = place[0] - self._lines
        self._bytes_left = place[1] if self._lines_left else place[1] - self._bytes

    def _write(self, data: Any) -> int | None:
        content = bytes(data)
        written: int | None = self._left_out(content) or self._write_on(data)
        if written:
            content = content[:written]
            self._lines += content.count(b"\n")
            self._bytes = len(content) - content.rfind(b"\n") - 1 + (0 if b"\n" in content else self._bytes)
        return written  # when it is not all, the rest is written next

    def _left_out(self, content: bytes) -> int:
        """Return how many bytes from the first on are not written."""
        if self._lines_left > 0:
            end = content.find(b"\n") + 1
            self._lines_left -= end > 0
            return end or len(content)
        if self._bytes_left > 0:
            line = content.find(b"\n")
            count = min(self._bytes_left, len(content) if line < 0 else line)
            self._bytes_left = self._bytes_left - count if line < 0 else 0
            return count
        return 0


class Said:
    """Counts from its making on what Python's standard streams write, whoever holds them.

    It counts lines, since the copy's may be of another length: they can say the time, for instance. What is written by
    other ways (by the system's own call, by another program) is not counted.
    """

    def __init__(self) -> None:
        self._streams: list[_Stream] = []
        for stream in (sys.__stdout__, sys.__stderr__):
            raw = getattr(getattr(stream, "buffer", None), "raw", None)
            if isinstance(raw, io.FileIO):
                _flush()
                self._streams.append(_Stream(raw))

    def places(self) -> list[Place]:
        """Return how far each stream is."""
        _flush()
        return [stream.place() for stream in self._streams]

    def leave_out(self, places: list[Place]) -> None:
        """Have each stream write nothing until it is as far as another process was."""
        for stream, place in zip(self._streams, places, strict=True):
            stream.leave_out(place)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]
