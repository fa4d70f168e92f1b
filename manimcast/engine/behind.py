"""Threads that encode while the scene goes on: frames are handed over converted, so that nobody has to copy pixels.

The encoder works outside of Python's lock, so on two processors stepping and drawing go on beside it. Not more than a
few frames wait. An encoder that looks ahead has most of its work left when a segment's last frame is handed to it; so
the next segment begins in another thread (:class:`Lanes`). While a thread works the process is not forked, since a lock
of the encoder's libraries could be held in the copy for ever: whoever forks waits for it first.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Protocol

import av

WAITING = 4
"""Frames that may wait, each with its own planes. More would be memory that is no longer in the processor's caches."""
WAITING_BEFORE_OTHERS = 8
"""The same where there are several threads, which have to be kept busy."""
SWITCH_SECONDS = 0.0005
"""How long the thread waits for Python's lock when the encoder has done a frame: a tenth of what Python does."""


class Behind:
    """Does what it is given in a thread, one thing after the other; so many things may wait."""

    def __init__(self, waiting: int = WAITING) -> None:
        self._waiting = waiting
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue(waiting)
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._failure: BaseException | None = None

    @property
    def threads(self) -> int:
        """How many threads there are of it in this process."""
        return int(self._thread is not None and self._pid == os.getpid())

    @property
    def left(self) -> int:
        """How much of what was put is not done."""
        return self._work.unfinished_tasks if self.threads else 0

    def put(self, work: Callable[[], None]) -> None:
        """Have ``work`` done after all that was put before. Raises what went wrong with something before."""
        self._raise()
        if not self.threads:
            self._begin()
        self._work.put(work)

    def settle(self) -> None:
        """Wait until nothing is left to do. Raises what went wrong with it."""
        self.wait()
        self._raise()

    def wait(self) -> None:
        """Wait until nothing is left to do."""
        if self.threads:
            self._work.join()

    def stop(self) -> None:
        """End the thread, after what is left to do."""
        if self._thread is not None and self.threads:
            self._work.put(None)
            self._thread.join()
        self._thread = None

    def _begin(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self._work = queue.Queue(self._waiting)  # in a forked process the old one's thread is not there
        self._thread = threading.Thread(target=self._run, args=(self._work,), daemon=True)
        self._pid = os.getpid()
        self._thread.start()
        _working.add(self)

    def _run(self, work: queue.Queue[Callable[[], None] | None]) -> None:
        while True:
            task = work.get()
            try:
                if task is None:
                    return
                if self._failure is None:
                    task()
            except BaseException as failure:  # noqa: BLE001  it is raised where the next thing is asked for
                self._failure = failure
            finally:
                del task  # it holds a frame, whose planes are wanted for another
                work.task_done()

    def _raise(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


class Lanes:
    """So many such threads, each begun when the others are busy."""

    def __init__(self, number: int) -> None:
        self._lanes = [Behind(WAITING if number == 1 else WAITING_BEFORE_OTHERS) for _ in range(number)]

    @property
    def threads(self) -> int:
        """How many threads there are of them in this process."""
        return sum(lane.threads for lane in self._lanes)

    def free(self, *, alone: bool = False) -> Behind:
        """Return the one with the least to do; ``alone``, the only one that shall have something to do."""
        free = min(self._lanes, key=lambda lane: lane.left)
        if alone:
            for lane in self._lanes:
                if lane is not free:
                    lane.wait()
        return free

    def settle(self) -> None:
        """Wait until nothing is left to do. Raises what went wrong with it."""
        for lane in self._lanes:
            lane.wait()
        for lane in self._lanes:
            lane.settle()

    def stop(self) -> None:
        """End the threads, after what is left to do."""
        for lane in self._lanes:
            lane.stop()


_working: weakref.WeakSet[Behind] = weakref.WeakSet()


def wait_for_all() -> None:
    """Wait until nothing is left to do in any such thread of this process."""
    for behind in tuple(_working):
        behind.wait()


os.register_at_fork(before=wait_for_all)


class File(Protocol):
    """What frames are written to: a :class:`~manimcast.engine.segment_file.SegmentFile`, or what passes on to one."""

    def show(self, frame: av.VideoFrame, frames: int, rows: tuple[int, int] | None = None) -> None:
        """Show ``frame`` for so many frames; no other ``rows``, first and end, differ from the frame before."""

    def close(self) -> None:
        """Write what is left."""

    def discard(self) -> None:
        """Close the file as it is."""


class FileBehind:
    """A file that is written by ``behind``."""

    def __init__(self, behind: Behind, file: File) -> None:
        self._behind = behind
        self._file = file

    def show(self, frame: av.VideoFrame, frames: int, rows: tuple[int, int] | None = None) -> None:
        """Show ``frame`` for so many frames, later. It is kept until then."""
        self._behind.put(partial(self._file.show, frame, frames, rows))

    def close(self) -> None:
        """Have the file closed when all of it is written."""
        self._behind.put(self._file.close)

    def discard(self) -> None:
        """Close the file as it is."""
        try:
            self._behind.settle()
        finally:
            self._file.discard()
