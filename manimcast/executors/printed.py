"""What a scene prints: kept to its end, bounded, and made harmless to show."""

from __future__ import annotations

import asyncio
import os
import re
from typing import IO

from manimcast.settings import MIB
from manimcast.spec import SceneError

_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Printed(asyncio.Protocol):
    """Read a render's standard output and error; keep the last ``keep`` bytes, and give up after ``limit``.

    Attributes
    ----------
    flooded
        Set when more than ``limit`` bytes were printed. Nothing is read from then on.
    """

    def __init__(self, *, keep: int = 16_000, limit: int = 32 * MIB) -> None:
        self._tail = b""
        self._keep = keep
        self.limit = limit
        self._read = 0
        self._transport: asyncio.ReadTransport | None = None
        self._closed = asyncio.Event()
        self.flooded = asyncio.Event()

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
        if self._read > self.limit and self._transport is not None:
            self._transport.pause_reading()
            self.flooded.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason changes nothing
        """Note that nothing more will come."""
        self._closed.set()

    async def attached_to(self, error: SceneError) -> SceneError:
        """Return ``error`` with the end of what was printed as its log. The render must have ended."""
        if not self.flooded.is_set():
            try:
                async with asyncio.timeout(1):
                    await self._closed.wait()
            except TimeoutError:
                pass  # something that the render started holds the pipe; what came is enough
        text = self.text()
        return error.model_copy(update={"log": text}) if text else error

    def text(self) -> str:
        """Return the end of what was printed, without control characters."""
        return _CONTROL.sub("", self._tail.decode("utf-8", errors="replace").replace("\r\n", "\n")).strip()

    def close(self) -> None:
        """Stop reading."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
