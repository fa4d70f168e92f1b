"""The harness itself: it notices a difference, says where it is, and knows which scenes there are."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conformance.catalogue import LOW, VIEWED, cases, sample, scenes_in
from tests.conformance.fuzz.campaign import Posted
from tests.conformance.harness import Reference, Side, compare, explain, first_difference, frames
from tests.conformance.record import Recorder, digest

TWO_FACED = """
import sys
from manim import *

class TwoFaced(Scene):
    def construct(self):
        dot = Square(2, stroke_width=0, fill_opacity=1, color=WHITE)
        self.add(dot)
        self.wait(0.2)
        if "manimcast.engine.render" in sys.modules:
            dot.set_fill("#fefefe")
        self.wait(0.2)
"""


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[Side, Side]]:
    both = Side("stock"), Side("engine")
    yield both
    for side in both:
        side.stop()


def test_a_difference_of_one_step_in_one_frame_is_found_and_described(sides: tuple[Side, Side]) -> None:
    case = Posted("harness", "TwoFaced", LOW, text=TWO_FACED)
    left, right = (frames(side.render(case)) for side in sides)
    assert len(left) == len(right) == 6
    difference = first_difference(left, right)
    assert difference == 3
    told = explain(case, difference, *sides)
    assert "first difference in frame 3" in told
    assert "pixels differ, by up to 1," in told


def test_an_error_of_the_scene_is_told_and_the_next_render_works(sides: tuple[Side, Side]) -> None:
    broken = Posted("harness", "A", LOW, text="from manim import *\nclass A(Scene):\n    def construct(self): 1 / 0\n")
    sound = Posted(
        "harness", "A", LOW, text="from manim import *\nclass A(Scene):\n    def construct(self): self.wait(0.2)\n"
    )
    for side in sides:
        assert "ZeroDivisionError" in side.render(broken)["error"]
        assert len(frames(side.render(sound))) == 3


def test_references_are_kept_and_read_back(sides: tuple[Side, Side], tmp_path: Path) -> None:
    code = "from manim import *\nclass A(Scene):\n    def construct(self): self.wait(0.2)\n"
    reference = Reference(sides[0], tmp_path)
    first = reference.of(Posted("harness", "A", LOW, text=code))
    (kept,) = tmp_path.rglob("*.json")
    kept.write_text(kept.read_text().replace(first["runs"][0][0], "other"))
    assert reference.of(Posted("harness", "A", LOW, text=code))["runs"] == [["other", 3]]
    assert reference.of(Posted("harness", "A", LOW, text=code + "\n"))["runs"] == first["runs"]


@pytest.mark.parametrize(
    ("left", "right", "index"),
    [("abc", "abc", None), ("abc", "abd", 2), ("abc", "ab", 2), ("", "a", 0), ("", "", None)],
)
def test_first_difference(left: str, right: str, index: int | None) -> None:
    assert first_difference(list(left), list(right)) == index


def test_compare_counts_pixels_and_says_where() -> None:
    left = np.zeros((4, 6, 4), dtype=np.uint8)
    right = left.copy()
    right[1, 2, 0] = 200
    right[2, 4] = 7
    assert compare(left, right) == "2 of 24 pixels differ, by up to 200, in rows 1-2, columns 2-4"
    assert "against" in compare(left, right[:2])
    assert "not deterministic" in compare(left, left)


def test_recorder_counts_repeats_and_keeps_the_frame_that_is_asked_for(tmp_path: Path) -> None:
    dark, light = np.zeros((2, 2, 4), np.uint8), np.full((2, 2, 4), 9, np.uint8)
    recorder = Recorder(tmp_path, keep=digest(light))
    for pixels, repeat in ((dark, 1), (dark, 2), (light, 2), (dark, 0)):
        recorder.frame(pixels, repeat)
    assert [count for _, count in recorder.runs] == [3, 2]
    assert recorder.count == 5
    assert (np.load(tmp_path / "frame.npy") == light).all()
    differently_shaped = Recorder(tmp_path)
    differently_shaped.frame(dark.reshape(1, 4, 4), 1)
    assert differently_shaped.runs[0][0] != recorder.runs[0][0]


def test_the_sample_is_of_one_day_and_has_every_view() -> None:
    monday, tuesday = datetime.date(2026, 11, 23), datetime.date(2026, 11, 24)
    assert sample(20, monday) == sample(20, monday) != sample(20, tuesday)
    assert len(sample(20, monday)) == 20
    for view in VIEWED:
        assert sum(name.endswith(f"@{view.name}") for name in sample(20, monday)) == 1


def test_the_catalogue_finds_every_scene_once() -> None:
    names = [case.name for case in cases()]
    assert len(names) == len(set(names))
    assert len(names) > 70
    for view_names in VIEWED.values():
        assert set(view_names) <= set(names)
    assert scenes_in("class A(Scene): ...\nclass _B(A): ...\nclass C(_B): ...\nclass D: ...") == ["A", "C"]
