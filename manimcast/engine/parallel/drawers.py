"""Forked processes that draw, at most so many at once, and what they tell this one."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from manimcast.engine.diagnose import in_short
from manimcast.engine.forking import fork

Tell = Callable[[int], None]
"""Says that another so many frames are drawn."""
Work = Callable[[Tell], dict[str, Any]]
"""What a drawer does; returns what it has to report, which JSON can hold."""

TELL_SECONDS = 0.02


class DrawerFailedError(Exception):
    """A drawer ended without a report. The message says how, in words that clients may read."""


@dataclass
class Drawer:
    """A forked process, seen from the one that forked it.

    ``told`` is called with the number of frames whenever it has drawn some more, ``done`` with its report.
    """

    pid: int
    reader: int
    core: int | None
    told: Callable[[int], None]
    done: Callable[[dict[str, Any]], None]
    _said: bytearray = field(default_factory=bytearray)
    _report: dict[str, Any] | None = None
    _last_words: str = ""

    def listen(self) -> bool:
        """Take what it has said; returns whether it has hung up."""
        while True:
            try:
                data = os.read(self.reader, 1 << 16)
            except BlockingIOError:
                return False
            if not data:
                return True
            self._said += data
            *lines, self._said = self._said.split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "frames" in message:
                    self.told(message["frames"])
                elif "failed" in message:
                    self._last_words = message["failed"]
                else:
                    self._report = message["done"]

    def reap(self) -> None:
        """Wait for its end and pass on its report, or raise :class:`DrawerFailedError`."""
        os.close(self.reader)
        _, status = os.waitpid(self.pid, 0)
        if status or self._report is None:
            code = os.waitstatus_to_exitcode(status)
            raise DrawerFailedError(f"a process that draws ended with status {code}. {self._last_words}".strip())
        self.done(self._report)


class Drawers:
    """Forks drawers, at most ``limit`` at once.

    ``cores`` are processors that no other render draws on, if there are such; each drawer then has one of them.
    """

    def __init__(self, limit: int, cores: tuple[int, ...] = ()) -> None:
        self.limit = limit
        self._cores = cores if len(cores) >= limit else ()
        self._running: list[Drawer] = []

    def start(self, work: Work, told: Callable[[int], None], done: Callable[[dict[str, Any]], None]) -> None:
        """Fork a drawer that does ``work``, after waiting until there is room for it.

        Raises :class:`DrawerFailedError` when one that ends meanwhile has failed, and :class:`OSError` when the system
        refuses another process.
        """
        self.wait_for_room()
        taken = {drawer.core for drawer in self._running}
        core = next((core for core in self._cores if core not in taken), None)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        pid, reader, writer = fork()
        if pid == 0:
            _draw_and_exit(work, writer, core)
        os.close(writer)
        os.set_blocking(reader, False)
        self._running.append(Drawer(pid, reader, core, told, done))

    def wait_for_room(self) -> None:
        """Wait until another may begin. Raises :class:`DrawerFailedError` when one that ends meanwhile has failed."""
        while len(self._running) >= self.limit:
            self._listen(None)

    @property
    def idle(self) -> bool:
        """Whether nothing is being drawn."""
        return not self._running

    def listen(self) -> None:
        """Take what the drawers have said, without waiting. Raises :class:`DrawerFailedError` for one that failed."""
        if self._running:
            self._listen(0)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all are done, or for so many seconds. Raises :class:`DrawerFailedError` for one that failed."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self._running:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return
            self._listen(left)

    def stop(self) -> None:
        """End them all, whatever they are doing."""
        for drawer in self._running:
            with suppress(ProcessLookupError):
                os.kill(drawer.pid, signal.SIGKILL)
        for drawer in self._running:
            os.close(drawer.reader)
            with suppress(ChildProcessError):  # the scene waited for all its children
                os.waitpid(drawer.pid, 0)
        self._running.clear()

    def _listen(self, seconds: float | None) -> None:
        poll = select.poll()
        for drawer in self._running:
            poll.register(drawer.reader, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000)}
        for drawer in [drawer for drawer in self._running if drawer.reader in ready]:
            if drawer.listen():
                self._running.remove(drawer)
                try:
                    drawer.reap()
                except ChildProcessError:
                    raise DrawerFailedError("the scene waited for a process that draws") from None


def _draw_and_exit(work: Work, writer: int, core: int | None) -> None:
    """Be a drawer. Never returns."""
    status = 1
    # What was made before lives on anyway; looking through it would copy its memory.
    gc.freeze()
    try:
        if core is not None:
            with suppress(OSError):
                os.sched_setaffinity(0, {core})
        _be_quiet()
        untold, told_at = 0, time.monotonic()

        def tell(frames: int) -> None:
            nonlocal untold, told_at
            untold += frames
            if time.monotonic() - told_at >= TELL_SECONDS:
                _say(writer, {"frames": untold})
                untold, told_at = 0, time.monotonic()

        report = work(tell)
        if untold:
            _say(writer, {"frames": untold})
        _say(writer, {"done": report})
        status = 0
    except BaseException as error:  # noqa: BLE001  whatever it is, the scene is drawn without drawers then
        with suppress(OSError):
            _say(writer, {"failed": in_short(error)[:300]})
    finally:
        os._exit(status)


def _be_quiet() -> None:
    """Print nothing: the process that steps the scene prints the same."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdout = sys.stderr = open(nowhere, "w", encoding="utf-8", errors="replace")  # noqa: SIM115, PTH123


def _say(writer: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(writer, data) :]
