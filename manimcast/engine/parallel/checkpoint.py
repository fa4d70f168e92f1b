"""A copy of this process that waits, in case that the way taken from here on turns out not to work.

The copy stands where :meth:`Checkpoint.take` was called. Told to go, it renders to the end from there, another way,
while this process waits for it and then ends as it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any, NoReturn

from manimcast.engine.forking import fork


class Checkpoint:
    """The waiting copy, as this process knows it."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._order = -1

    @property
    def is_there(self) -> bool:
        """Whether there is a copy."""
        return self._pid is not None

    def take(self) -> dict[str, Any] | None:
        """Make the copy; returns None here, and in the copy, once it is told to go on, what it was told.

        Raises :class:`OSError` when the system refuses another process.
        """
        _flush()
        pid, reader, self._order = fork()
        if pid:
            os.close(reader)
            self._pid = pid
            return None
        os.close(self._order)
        with os.fdopen(reader, "rb") as orders:
            order = orders.read()
        if not order:  # this process has ended, or does not need its copy any more
            os._exit(0)
        received: dict[str, Any] = json.loads(order)
        return received

    def hand_over(self, order: dict[str, Any]) -> NoReturn:
        """Have the copy go on, with ``order``, which JSON can hold; end when it has ended."""
        if self._pid is None:
            raise RuntimeError("there is no copy to go on")
        _flush()
        data = json.dumps(order).encode()
        while data:
            data = data[os.write(self._order, data) :]
        os.close(self._order)
        _, status = os.waitpid(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:  # so that whoever waits for this process sees the same
            os.kill(os.getpid(), -code)
        os._exit(code if code >= 0 else 1)

    def drop(self) -> None:
        """Let the copy go; it is not needed any more."""
        if self._pid is not None:
            os.close(self._order)
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
