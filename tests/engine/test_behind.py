"""Encoding in a thread: the same files, and failures where they can be told."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from manimcast.engine.behind import Behind
from manimcast.engine.segment import SegmentEncoder
from tests.engine.pictures import picture, spec


@pytest.fixture
def behind() -> Iterator[Behind]:
    behind = Behind()
    yield behind
    behind.stop()


def test_files_are_those_of_encoding_at_once(tmp_path: Path, behind: Behind) -> None:
    for name, way in (("once.mp4", None), ("behind.mp4", behind)):
        encoder = SegmentEncoder(tmp_path / name, spec(preset="superfast"), way)
        for number in range(20):
            pixels = picture(number)
            encoder.write(pixels)
            pixels[:] = 0  # what was written is not needed any more
        encoder.write(picture(3), repeat=60)
        encoder.finish()
    behind.settle()
    assert (tmp_path / "once.mp4").read_bytes() == (tmp_path / "behind.mp4").read_bytes()


def test_what_fails_is_raised_with_the_next_thing_and_nothing_more_is_done(behind: Behind) -> None:
    done: list[int] = []

    def fail() -> None:
        raise ValueError("no ink")

    behind.put(fail)
    behind.wait()
    with pytest.raises(ValueError, match="no ink"):
        behind.put(lambda: done.append(1))
    behind.put(lambda: done.append(2))
    behind.settle()
    assert done == [2]


def test_what_fails_last_is_raised_at_the_end(behind: Behind) -> None:
    def fail() -> None:
        raise ValueError("no ink")

    behind.put(fail)
    with pytest.raises(ValueError, match="no ink"):
        behind.settle()


def test_a_process_is_forked_when_the_thread_is_idle(behind: Behind) -> None:
    go, done = threading.Event(), []
    behind.put(go.wait)
    behind.put(lambda: done.append(1))
    timer = threading.Timer(0.05, go.set)  # by then the fork has begun, if this machine is not slow
    timer.start()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if done and not behind.threads else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    timer.join()


def test_a_forked_process_has_a_thread_of_its_own(behind: Behind) -> None:
    behind.put(lambda: None)
    behind.settle()
    pid = os.fork()
    if pid == 0:
        done: list[int] = []
        behind.put(lambda: done.append(1))
        behind.settle()
        os._exit(0 if done else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_stopping_ends_the_thread(behind: Behind) -> None:
    before = set(threading.enumerate())
    behind.put(lambda: None)
    (thread,) = set(threading.enumerate()) - before
    behind.stop()
    assert not thread.is_alive()
