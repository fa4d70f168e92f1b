"""Encoding in a thread: the same files, and failures where they can be told."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine.behind import Behind, Lanes
from manimcast.engine.parallel.room import Room
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


@pytest.mark.parametrize(
    ("how", "lanes"),
    [
        (spec(preset="superfast"), 1),
        # x264 does not encode small pictures the same way each time with its tree of macroblocks
        (spec(preset="medium", x264_params="mbtree=0"), 2),
        (spec(preset="medium", x264_params="mbtree=0:rc-lookahead=10", size=(1280, 720)), 2),
        (spec(preset="medium", x264_params="rc-lookahead=0"), 1),
        (spec("webm"), 2),
        (spec("mov", transparent=True), 1),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else f"{value.codec} {value.width} {value.options}",
)
def test_segments_that_are_encoded_side_by_side_are_those_of_one_after_the_other(
    tmp_path: Path, how: VideoEncoderSpec, lanes: int
) -> None:
    assert Room(8 << 30, how).encoders() == lanes
    behind = Lanes(2)
    files = {}
    for name in ("once", "behind"):
        for segment in range(4):
            path = files[name, segment] = tmp_path / f"{name} {segment}.{how.container_format}"
            encoder = SegmentEncoder(path, how, behind.free() if name == "behind" else None)
            for number in range(6):
                encoder.write(picture(10 * segment + number, how.width, how.height))
            encoder.write(picture(10 * segment, how.width, how.height), repeat=60 if segment == 1 else 1)
            encoder.finish()
    behind.settle()
    behind.stop()
    for segment in range(4):
        assert packets(files["once", segment]) == packets(files["behind", segment])


def test_the_lane_with_the_least_to_do_comes_next() -> None:
    lanes, go = Lanes(2), threading.Event()
    first = lanes.free()
    first.put(go.wait)
    first.put(lambda: None)
    second = lanes.free()
    assert second is not first
    second.put(go.wait)
    assert lanes.free() is second
    assert lanes.threads == 2
    threading.Timer(0.05, go.set).start()
    assert lanes.free(alone=True) is second
    assert first.left == 0
    lanes.stop()
    assert lanes.threads == 0


def test_what_fails_in_one_lane_is_raised_when_all_are_done() -> None:
    lanes, done, go = Lanes(2), [], threading.Event()

    def fail() -> None:
        raise ValueError("no ink")

    for then in (fail, lambda: done.append(1)):
        lane = lanes.free()
        lane.put(go.wait)
        lane.put(then)
    go.set()
    with pytest.raises(ValueError, match="no ink"):
        lanes.settle()
    assert done == [1]
    lanes.stop()


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


def packets(path: Path) -> list[bytes]:
    """Return the packets of a video: WebM files have a number of their own."""
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(video=0)]
