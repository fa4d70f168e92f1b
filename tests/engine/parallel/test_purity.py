"""Which plays may be stepped over."""

from __future__ import annotations

import hashlib
import inspect
import random
from types import ModuleType
from typing import Any

import pytest
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Animation,
    AnimationGroup,
    Circle,
    Create,
    FadeIn,
    ImageMobject,
    LaggedStart,
    Rotate,
    Scene,
    Square,
    Succession,
    Text,
    ThreeDScene,
    Transform,
    UpdateFromFunc,
    ValueTracker,
    VGroup,
    Wait,
    Write,
    tempconfig,
)

from manimcast.engine.parallel.purity import PURE, SOURCES, is_pure, state_of


@pytest.mark.parametrize("module", SOURCES, ids=lambda module: module.__name__)
def test_the_animations_are_those_that_were_looked_at(module: ModuleType) -> None:
    assert hashlib.sha256(inspect.getsource(module).encode()).hexdigest() == SOURCES[module]


def test_every_animation_in_the_list_is_of_a_module_that_was_looked_at() -> None:
    assert {kind.__module__ for kind in PURE} <= {module.__name__ for module in SOURCES}


def compiled(*animations: Any, scene: Scene | None = None, **options: Any) -> Scene:
    """A scene that is about to play ``animations``."""
    with tempconfig({"dry_run": True, "verbosity": "ERROR"}):
        scene = scene or Scene()
        scene.compile_animation_data(*animations, **options)
        scene.begin_animations()
    return scene


class Impatient(Create):
    """One of the scene's own, with nothing of its own."""

    def __init__(self, mobject: Any) -> None:
        super().__init__(mobject, run_time=0.5)


class Trembling(Create):
    """One that moves as it likes."""

    def interpolate(self, alpha: float) -> None:
        super().interpolate(alpha * random.random())


class Moody(Square):
    """A mobject that answers in its own way."""

    def interpolate_color(self, *args: Any) -> None:
        """Stay as it is."""


class Plain(VGroup):
    """A mobject that is only made in its own way."""

    def __init__(self) -> None:
        super().__init__(Square(), Circle())

    def of_its_own(self) -> None:
        """Do nothing that Manim would call."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: [Create(Square())],
        lambda: [Square().animate.shift(UP)],
        lambda: [Write(Text("abc"))],
        lambda: [Transform(Square(), Circle()), FadeIn(Circle())],
        lambda: [Rotate(Square(), 1, rate_func=lambda t: t * t)],
        lambda: [LaggedStart(*(FadeIn(Square()) for _ in range(3)), lag_ratio=0.3)],
        lambda: [AnimationGroup(Create(Square()), AnimationGroup(FadeIn(Circle())))],
        lambda: [ValueTracker(1).animate.set_value(2)],
        lambda: [Impatient(Square())],
        lambda: [FadeIn(Plain())],
    ],
)
def test_what_is_computed_from_both_ends_is_pure(make: Any) -> None:
    assert is_pure(compiled(*make()))


def _shared() -> list[Animation]:
    square = Square()
    return [square.animate.shift(UP).build(), Rotate(square, 1)]


def _updated() -> list[Animation]:
    square = Square()
    square.add_updater(lambda mobject: mobject.shift(UP))
    return [FadeIn(square)]


def _own_method() -> list[Animation]:
    animation = Create(Square())
    animation.interpolate = lambda alpha: None  # type: ignore[method-assign]
    return [animation]


@pytest.mark.parametrize(
    "make",
    [
        lambda: [Trembling(Square())],
        lambda: [FadeIn(Moody())],
        lambda: [UpdateFromFunc(Square(), lambda mobject: mobject.shift(UP))],
        lambda: [Succession(FadeIn(Square()), FadeIn(Circle()))],
        lambda: [Create(Square(), rate_func=lambda t: t * random.random())],
        lambda: [FadeIn(ImageMobject([[0, 255], [255, 0]]))],
        _shared,
        _updated,
        _own_method,
    ],
)
def test_what_depends_on_more_is_not(make: Any) -> None:
    assert not is_pure(compiled(*make()))


def test_whatever_else_runs_in_the_scene_counts() -> None:
    def with_updater(scene: Scene) -> None:
        scene.add(Square().add_updater(lambda mobject: mobject.shift(UP)))

    def with_scene_updater(scene: Scene) -> None:
        scene.add_updater(lambda dt: None)

    def always_updating(scene: Scene) -> None:
        scene.always_update_mobjects = True

    def with_moving_camera(scene: Scene) -> None:
        scene.renderer.camera.theta_tracker.add_updater(lambda tracker, dt: tracker.increment_value(dt))

    for change, kind in (
        (with_updater, Scene),
        (with_scene_updater, Scene),
        (always_updating, Scene),
        (with_moving_camera, ThreeDScene),
    ):
        with tempconfig({"dry_run": True, "verbosity": "ERROR"}):
            scene = kind()
        assert is_pure(compiled(FadeIn(Circle()), scene=scene))
        change(scene)
        assert not is_pure(compiled(FadeIn(Circle()), scene=scene)), change.__name__


def test_a_stop_condition_counts() -> None:
    assert not is_pure(compiled(Wait(run_time=1, stop_condition=lambda: False)))


@pytest.mark.parametrize(
    "change",
    [
        lambda square: square.shift(1e-12 * UP + 1e-12 * RIGHT),
        lambda square: square.set_fill("#010203"),
        lambda square: square.set_fill(opacity=0.5),
        lambda square: square.set_stroke(width=3.999),
        lambda square: square.set_stroke("#010203", background=True),
        lambda square: square.set_z_index(1),
        lambda square: square.set_sheen(0.1, DOWN),
        lambda square: square.add(Circle()),
        lambda square: square.submobjects[0].shift(LEFT),
    ],
)
def test_every_change_that_can_be_seen_is_in_the_state(change: Any) -> None:
    square = Square()
    square.add(Circle())
    scene = compiled(FadeIn(square))
    before = state_of(scene)
    assert state_of(scene) == before
    change(square)
    assert state_of(scene) != before
