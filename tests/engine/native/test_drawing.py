"""What is drawn natively is, byte for byte, what Manim's own methods draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manim import Circle, Line, MovingCamera, Square, ThreeDCamera, VMobject
from manim.camera.camera import Camera

from manimcast.engine import native
from manimcast.engine.patches import plain, summation
from tests.engine.native.vmobjects import drawn, vmobjects

pytestmark = pytest.mark.skipif(native.library is None, reason="the native part is not compiled")

THOROUGH = settings(max_examples=120, deadline=None)


@THOROUGH
@given(st.lists(vmobjects(), min_size=1, max_size=5))
def test_a_flat_camera_draws_the_same(shapes: list[VMobject]) -> None:
    assert drawn(Camera, shapes, native=True) == drawn(Camera, shapes, native=False)


@THOROUGH
@given(st.lists(vmobjects(), min_size=1, max_size=3), st.floats(0.1, 40), st.floats(-5, 5))
def test_a_moving_camera_draws_the_same(shapes: list[VMobject], width: float, x: float) -> None:
    options = {"frame_width": width, "frame_center": np.array([x, 1.0, 0.0])}
    assert drawn(MovingCamera, shapes, True, **options) == drawn(MovingCamera, shapes, False, **options)


def _turned(cls: type[ThreeDCamera], phi: float, theta: float, gamma: float, zoom: float, shaded: bool) -> Any:
    class Turned(cls):  # type: ignore[valid-type, misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(phi=phi, theta=theta, gamma=gamma, zoom=zoom, should_apply_shading=shaded, **kwargs)

    return Turned


@THOROUGH
@given(
    st.lists(vmobjects(in_space=True), min_size=1, max_size=4),
    st.floats(-4, 4),
    st.floats(-4, 4),
    st.floats(-4, 4),
    st.floats(0.2, 4),
    st.booleans(),
    st.sampled_from(["no", "in frame", "in orientation"]),
)
def test_a_camera_in_space_draws_the_same(
    shapes: list[VMobject], phi: float, theta: float, gamma: float, zoom: float, shaded: bool, fixed: str
) -> None:
    cls = _turned(ThreeDCamera, phi, theta, gamma, zoom, shaded)
    options: dict[str, Any] = {}
    if fixed == "in frame":
        options["fixed_in_frame_mobjects"] = set(shapes[:1])
    if fixed == "in orientation":
        options["fixed_orientation_mobjects"] = {shapes[0]: lambda: np.array([1.0, 2.0, 3.0])}
    assert drawn(cls, shapes, True, **options) == drawn(cls, shapes, False, **options)


class Recorder:
    """The native part, counting what it is asked to draw and where it stopped."""

    def __init__(self) -> None:
        self.stops: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(LIBRARY, name)

    def draw(self, *arguments: Any) -> int:
        self.stops.append(LIBRARY.draw(*arguments))
        return self.stops[-1]


LIBRARY = native.library


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(native, "library", recorder)
    return recorder


class Loud(Circle):
    def get_stroke_width(self, background: bool = False) -> float:
        return 20.0


class Restless(Circle):
    @property
    def points(self) -> np.ndarray:
        return self.kept * 0.5

    @points.setter
    def points(self, value: np.ndarray) -> None:
        self.kept = value


def _patched() -> Circle:
    circle = Circle()
    circle.get_fill_rgbas = lambda: np.array([[1.0, 0.0, 1.0, 1.0]])  # type: ignore[method-assign]
    return circle


def test_ordinary_shapes_take_one_call(recorder: Recorder) -> None:
    shapes = [Circle(color=["#ff0000", "#00ff00"]), Square(fill_opacity=0.5), Line(), Circle(stroke_width=0)]
    drawn(Camera, shapes, native=True)
    assert recorder.stops == [4]


def test_so_do_shaded_faces(recorder: Recorder) -> None:
    assert summation.formulas() is not None, "NumPy sums in a way that is not known here"
    drawn(_turned(ThreeDCamera, 1, 2, 3, 1, True), [Square(fill_opacity=1, shade_in_3d=True), Circle()], native=True)
    assert recorder.stops == [2]


@pytest.mark.parametrize("make", [Loud, Restless, _patched])
def test_a_shape_with_ways_of_its_own_is_left_to_manim(recorder: Recorder, make: Any) -> None:
    shapes = [Circle(), make(), Square()]
    ours = drawn(Camera, shapes, native=True)
    assert recorder.stops == [1, 3]
    assert ours == drawn(Camera, shapes, native=False)


def test_a_camera_with_ways_of_its_own_is_left_to_manim(recorder: Recorder) -> None:
    class Inverted(Camera):
        def get_fill_rgbas(self, vmobject: VMobject) -> Any:
            return 1 - vmobject.get_fill_rgbas()

    shapes = [Circle(fill_opacity=0.3)]
    ours = drawn(Inverted, shapes, native=True)
    assert recorder.stops == []
    assert ours == drawn(Inverted, shapes, native=False)


def test_a_method_that_a_scene_replaces_is_seen(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VMobject, "get_stroke_width", lambda *_: 9.0)
    ours = drawn(Camera, [Circle()], native=True)
    assert recorder.stops == [0]
    assert ours == drawn(Camera, [Circle()], native=False)


@pytest.mark.parametrize("cls", [VMobject, Circle])
def test_it_is_seen_also_of_a_class_that_was_judged_before(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, cls: type[VMobject]
) -> None:
    class Ring(Circle):
        pass

    shapes = [Ring()]
    asked: list[type] = []
    judge = plain.judge

    def counting(kind: type) -> int:
        asked.append(kind)
        return judge(kind)

    monkeypatch.setattr(plain, "judge", counting)
    for _ in range(4):
        drawn(Camera, shapes, native=True)
    times = len(asked)
    drawn(Camera, shapes, native=True)
    assert len(asked) == times > 0, "it is judged once, as long as it stays as it is"
    with monkeypatch.context() as change:
        change.setattr(cls, "get_stroke_width", lambda *_: 9.0)
        recorder.stops.clear()
        ours = drawn(Camera, shapes, native=True)
        assert recorder.stops == [0]
        assert ours == drawn(Camera, shapes, native=False)
    recorder.stops.clear()
    drawn(Camera, shapes, native=True)
    assert recorder.stops == [1]


def test_a_shape_without_points_is_stroked_along_an_invisible_one_before_it() -> None:
    invisible, empty = Circle(stroke_opacity=0), VMobject(stroke_width=9)
    ours = drawn(Camera, [invisible, empty], native=True)
    assert ours == drawn(Camera, [invisible, empty], native=False)
    assert ours != drawn(Camera, [invisible], native=False)
