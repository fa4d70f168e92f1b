"""Axes in space are drawn natively, with what Manim's functions say of their shading."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from manim import DOWN, LEFT, OUT, RIGHT, UP, ThreeDAxes, ThreeDCamera, VMobject

from manimcast.engine import native
from manimcast.engine.patches import axes, plain
from tests.engine.native.vmobjects import drawn

pytestmark = pytest.mark.skipif(native.library is None, reason="the native part is not compiled")

LIBRARY = native.library


class Tilted(ThreeDCamera):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(phi=1.1, theta=0.4, **kwargs)


class Recorder:
    """The native part, noting what it leaves to Manim."""

    def __init__(self) -> None:
        self.left: list[VMobject] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(LIBRARY, name)

    def draw(self, context: Any, vmobjects: list[VMobject], *rest: Any) -> int:
        index = LIBRARY.draw(context, vmobjects, *rest)
        assert isinstance(index, int)
        self.left += vmobjects[index : index + 1]
        return index


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    plain.learn()
    recorder = Recorder()
    monkeypatch.setattr(native, "library", recorder)
    return recorder


def small() -> ThreeDAxes:
    return ThreeDAxes((-2, 2), (-2, 2), (-1, 1), x_length=5, y_length=5, z_length=3)


def turned() -> ThreeDAxes:
    made = small()
    return made.rotate(0.7, axis=UP + OUT).shift(0.3 * DOWN).set_stroke(width=7)


def lit_otherwise() -> ThreeDAxes:
    made = small()
    made.light_source = -made.light_source
    made._set_axis_shading()
    return made


def a_copy_of_moved_ones() -> ThreeDAxes:
    """Its functions still ask the axes that it was copied from."""
    first = small()
    made = first.copy()
    first.shift(2 * RIGHT)
    return made


def parts_of(mobject: Any) -> list[Any]:
    return [part for part in mobject.get_family() if len(part.points)]


@pytest.mark.parametrize("make", [small, turned, lit_otherwise, a_copy_of_moved_ones])
def test_they_are_drawn_the_same_and_natively(make: Any, recorder: Recorder) -> None:
    made = make()
    parts = parts_of(made)
    assert len({part.get_gradient_start_and_end_points for part in parts}) > 50
    natively = drawn(Tilted, parts, native=True)
    assert recorder.left == []
    assert natively == drawn(Tilted, parts, native=False)


def test_a_function_of_somebody_else_is_called_as_manim_calls_it(recorder: Recorder) -> None:
    made = small()
    part = parts_of(made[0])[0]
    calls: list[int] = []

    def own() -> tuple[np.ndarray, np.ndarray]:
        calls.append(len(calls))
        return LEFT * len(calls), RIGHT * len(calls)

    part.get_gradient_start_and_end_points = own
    parts = parts_of(made)
    natively = drawn(Tilted, parts, native=True)
    assert recorder.left == [part]
    called = len(calls)
    calls.clear()
    assert natively == drawn(Tilted, parts, native=False)
    assert len(calls) == called > 0


def test_an_axis_with_ways_of_its_own_is_asked_by_manim(recorder: Recorder) -> None:
    made = small()
    axis: Any = made[1]
    stock = axis.get_edge_center
    axis.get_edge_center = lambda direction: stock(direction) + OUT
    parts = parts_of(made)
    of_that = parts_of(axis)
    natively = drawn(Tilted, parts, native=True)
    assert set(recorder.left) == set(of_that)
    assert natively == drawn(Tilted, parts, native=False)


def test_each_axis_is_asked_once_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    made = small()
    asked: list[Any] = []
    ends = axes.AxisEnds()
    monkeypatch.setattr(axes.AxisEnds, "_asked", staticmethod(asked.append))
    for part in parts_of(made):
        ends(part.get_gradient_start_and_end_points)
    assert len(asked) == 3
    ends.forget()
    ends(made[0].get_gradient_start_and_end_points)
    assert len(asked) == 4


@pytest.mark.parametrize("function", [None, len, lambda: (LEFT, RIGHT)])
def test_other_functions_are_not_known(function: Any) -> None:
    assert axes.AxisEnds()(function) is None
