"""What a scene prints: passed on line by line, kept to its end, bounded, and made harmless to show."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import IO

from manimcast.harmless import harmless
from manimcast.settings import MIB
from manimcast.spec import SceneError

MAX_LINES = 500
MAX_LINE = 4000


class Printed(asyncio.Protocol):
    """Read a render's standard output and error; keep the last ``keep`` bytes, and give up after ``limit``.

    Attributes
    ----------
    flooded
        Whether more than ``limit`` bytes were printed. Nothing is read from then on.
    news
        Set when there are lines to fetch with :meth:`lines`, or when the flood was noticed.
    """

    def __init__(self, *, keep: int = 16_000, limit: int = 32 * MIB) -> None:
        self._tail = b""
        self._keep = keep
        self.limit = limit
        self._read = 0
        self._transport: asyncio.ReadTransport | None = None
        self._closed = asyncio.Event()
        self._partial = b""
        self._lines: list[str] = []
        self._lines_left = MAX_LINES
        self.flooded = False
        self.news = asyncio.Event()

    async def open(self) -> IO[bytes]:
        """Make the pipe and begin to read; return the end that the render writes to, for the caller to close."""
        ours, theirs = os.pipe()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: self, os.fdopen(ours, "rb", 0))
        self._transport = transport
        return os.fdopen(theirs, "wb", 0)

    def data_received(self, data: bytes) -> None:
        """Keep the end of what was printed."""
        self._read += len(data)
        self._tail = (self._tail + data)[-self._keep :]
        if self._lines_left > 0:
            self._split(data)
        if self._read > self.limit and self._transport is not None:
            self._transport.pause_reading()
            self.flooded = True
            self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason changes nothing
        """Note that nothing more will come."""
        if self._partial and self._lines_left > 0:
            self._split(b"\n")
        self._closed.set()

    def lines(self) -> list[str]:
        """Return the lines that came since the last call; only a scene's first :data:`MAX_LINES` are passed on."""
        lines, self._lines = self._lines, []
        self.news.clear()
        return lines

    async def finished(self) -> None:
        """Wait until all that was printed is read. The render must have ended."""
        with suppress(TimeoutError):  # something that it started holds the pipe; what came is enough
            async with asyncio.timeout(1):
                await self._closed.wait()

    def _split(self, data: bytes) -> None:
        *whole, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_LINE:
            whole.append(self._partial)
            self._partial = b""
        for line in whole[: self._lines_left]:
            self._lines.append(_shown(line[:MAX_LINE]))
        self._lines_left -= len(whole)
        if self._lines_left <= 0:
            self._lines.append("(more was printed)")
        if self._lines:
            self.news.set()

    async def attached_to(self, error: SceneError) -> SceneError:
        """Return ``error`` with the end of what was printed as its log. The render must have ended."""
        if not self.flooded:
            await self.finished()
        text = _shown(self._tail).strip()
        return error.model_copy(update={"log": text}) if text else error

    def close(self) -> None:
        """Stop reading."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _shown(data: bytes) -> str:
    return harmless(data.decode("utf-8", errors="replace"))
