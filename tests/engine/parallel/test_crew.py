"""What those who draw one part together share: each frame is drawn once, and comes to the one who encodes whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from manim._config.video_encoder import VideoEncoderSpec

from manimcast.engine.convert import Converter, native_rounding
from manimcast.engine.native import library
from manimcast.engine.parallel.crew import PLACES, Crew, Handed
from manimcast.engine.parallel.drawers import Drawers, Tell
from manimcast.engine.parallel.steps import IN_VAIN, help_out
from manimcast.engine.planes import Picture

WIDTH, HEIGHT = 96, 64
FRAMES = 40

pytestmark = pytest.mark.skipif(
    library is None or native_rounding("yuv420p", WIDTH, HEIGHT) is None, reason="parts are shared natively only"
)


@pytest.fixture
def drawers() -> Iterator[Drawers]:
    drawers = Drawers(3)
    yield drawers
    drawers.stop()


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    spec = VideoEncoderSpec("mp4", "libx264", "yuv420p", WIDTH, HEIGHT, Fraction(15), ())
    crew = Crew(10, 10 + FRAMES, 2, library, spec, directory=tmp_path)  # type: ignore[arg-type]
    yield crew
    crew.close()


def picture_of(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full((HEIGHT, WIDTH, 4), number * 5 % 256, np.uint8)


def converted() -> Picture:
    assert library is not None
    return Picture(library, "yuv420p", WIDTH, HEIGHT)


def seen(frame: av.VideoFrame) -> list[Any]:
    """Return the planes without what pads their rows."""
    return [np.asarray(plane).reshape(plane.height, plane.line_size)[:, : plane.width] for plane in frame.planes]


def nothing(_: Any) -> None:
    pass


def test_each_frame_is_taken_once_and_by_each_in_order(drawers: Drawers, crew: Crew) -> None:
    reports: list[list[int]] = []

    def work(_: Tell) -> dict[str, Any]:
        return {"taken": list(iter(crew.take, None))}

    for _ in range(3):
        drawers.start(work, nothing, lambda report: reports.append(report["taken"]))
    drawers.wait()
    assert all(taken == sorted(taken) for taken in reports)
    assert sorted(number for taken in reports for number in taken) == list(range(10, 10 + FRAMES))
    assert crew.left == 0
    assert crew.take() is None


def test_a_frame_is_fetched_as_it_was_handed_over(drawers: Drawers, crew: Crew) -> None:
    def work(helper: int) -> Any:
        def draw(_: Tell) -> dict[str, Any]:
            rounding = native_rounding("yuv420p", WIDTH, HEIGHT)
            assert rounding is not None
            while (number := crew.take()) is not None:
                crew.outdate(helper, (0, HEIGHT))
                place, picture = crew.place(helper)
                picture.write(picture_of(number), rounding)
                crew.hand_over(Handed(number, helper, place, None if number % 2 else (number, HEIGHT)))
            return {}

        return draw

    for helper in range(2):
        drawers.start(work(helper), nothing, nothing)
    fetched, expected = converted(), Converter("yuv420p", WIDTH, HEIGHT)
    numbers = []
    for _ in range(FRAMES):  # twice as many as there are places for, and more
        handed = crew.handed(wait=True)
        assert handed is not None
        crew.fetch(handed, fetched)
        assert handed.rows == (None if handed.number % 2 else (handed.number, HEIGHT))
        for plane, other in zip(seen(fetched.frame()), seen(expected.convert(picture_of(handed.number))), strict=True):
            assert np.array_equal(plane, other)
        numbers.append(handed.number)
    assert sorted(numbers) == list(range(10, 10 + FRAMES))
    assert crew.handed(wait=False) is None
    drawers.wait()


def test_the_memory_lies_in_no_file_that_stays(crew: Crew, tmp_path: Path) -> None:
    assert crew.left == FRAMES
    assert not list(tmp_path.iterdir())


class Drawing:
    """Stands in for :class:`~manimcast.engine.parallel.steps.Steps`."""

    def draw(self, number: int) -> Any:
        return picture_of(number), None, None


@pytest.mark.parametrize(
    ("helper", "places", "drawn"), [(1, [], IN_VAIN), (1, range(0, FRAMES, 2), FRAMES), (0, [], FRAMES)]
)
def test_helpers_that_wait_for_the_encoder_leave_but_for_the_first(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, helper: int, places: Sequence[int], drawn: int
) -> None:
    rounding = native_rounding("yuv420p", WIDTH, HEIGHT)
    assert rounding is not None
    monkeypatch.setattr(crew, "has_place", lambda _: FRAMES - crew.left - 1 in places)
    monkeypatch.setattr(crew, "place", lambda _: (0, converted()))
    help_out(Drawing(), crew, helper, rounding)  # type: ignore[arg-type]
    assert crew.left == FRAMES - drawn


class Still:
    """Stands in for :class:`~manimcast.engine.parallel.steps.Steps` where every frame is the first one again."""

    def __init__(self) -> None:
        self.is_first = True

    def draw(self, number: int) -> Any:
        changed = None if self.is_first else (0, 0)
        self.is_first = False
        return picture_of(3), (0, 0), changed


def test_a_frame_that_is_the_same_as_the_one_before_is_handed_over(drawers: Drawers, crew: Crew) -> None:
    rounding = native_rounding("yuv420p", WIDTH, HEIGHT)
    assert rounding is not None

    def help_them(_: Tell) -> dict[str, Any]:
        help_out(Still(), crew, 0, rounding)  # type: ignore[arg-type]
        return {}

    drawers.start(help_them, nothing, nothing)
    fetched, expected = converted(), Converter("yuv420p", WIDTH, HEIGHT)
    for _ in range(FRAMES):  # far more than there are places for
        handed = crew.handed(wait=True)
        assert handed is not None
        crew.fetch(handed, fetched)
        for plane, other in zip(seen(fetched.frame()), seen(expected.convert(picture_of(3))), strict=True):
            assert np.array_equal(plane, other)
    drawers.wait()


def test_a_helper_waits_for_one_of_its_own_places(drawers: Drawers, crew: Crew) -> None:
    reader, writer = os.pipe()

    def work(_: Tell) -> dict[str, Any]:
        for number in range(PLACES + 1):
            place, _ = crew.place(0)
            os.write(writer, bytes([place]))
            crew.hand_over(Handed(number, 0, place, None))
        return {}

    assert crew.has_place(0)
    drawers.start(work, nothing, nothing)
    handed = [crew.handed(wait=True) for _ in range(PLACES)]
    assert not crew.has_place(0)
    assert sorted(os.read(reader, PLACES)) == list(range(PLACES))
    assert crew.handed(wait=False) is None
    assert not drawers.idle
    first = handed[0]
    assert first is not None
    crew.fetch(first, converted())
    assert os.read(reader, 1) == bytes([first.place])
    drawers.wait()
    for descriptor in (reader, writer):
        os.close(descriptor)
