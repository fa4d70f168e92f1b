"""Random vmobjects, as odd as scenes make them, and both ways of drawing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from manim import UP, CapStyleType, LineJointType, VMobject
from manim.camera.camera import Camera

from manimcast.engine.patches import camera, plain

WIDTH, HEIGHT = 96, 54

plain.learn()

near = st.floats(-8, 8, allow_nan=False)
far = st.sampled_from([40.0, -300.0, 1e3])
coordinate = st.one_of(near, near, near, st.integers(-8, 8).map(float), far)
channel = st.one_of(st.floats(0, 1), st.just(0.0), st.just(1.0))
rgba = st.tuples(channel, channel, channel, channel)
rgbas = st.lists(rgba, min_size=1, max_size=4).map(lambda rows: np.array(rows, dtype=np.float64))
width = st.one_of(st.just(0), st.floats(0, 60), st.integers(0, 10), st.just(-1.0), st.just("3"))


@st.composite
def points(draw: Any) -> np.ndarray:
    """Cubic curves, most of them joined to the one before, some paths closed; at times a stray point."""
    count = draw(st.integers(0, 6))
    corners: list[np.ndarray] = []
    for _ in range(count):
        curve = np.array(draw(st.lists(st.tuples(coordinate, coordinate, near), min_size=4, max_size=4)))
        joined = draw(st.sampled_from(["exactly", "nearly", "apart", "closed", "closed"]))
        if corners and joined != "apart":
            curve[0] = corners[-1][3] + (5e-7 if joined == "nearly" else 0)
        if corners and joined == "closed":
            curve[3] = corners[0][0]
        corners.append(curve)
    found = np.concatenate(corners) if corners else np.zeros((0, 3))
    stray = draw(st.sampled_from([0, 0, 0, 0, 1, 2, 3]))
    found = np.concatenate([found, np.ones((stray, 3))])
    if len(found) and draw(st.integers(0, 15)) == 0:
        found[draw(st.integers(0, len(found) - 1)), draw(st.integers(0, 2))] = draw(st.sampled_from([np.nan, np.inf]))
    kind = draw(st.sampled_from(["plain", "plain", "plain", "fortran", "view", "single"]))
    if kind == "fortran":
        return np.asfortranarray(found)
    if kind == "view":
        return np.repeat(found, 2, axis=0)[::2]
    return found.astype(np.float32) if kind == "single" else found


@st.composite
def vmobjects(draw: Any, *, in_space: bool = False) -> VMobject:
    """One vmobject, drawn nowhere yet."""
    vmobject = VMobject()
    vmobject.points = draw(points())
    vmobject.fill_rgbas = draw(rgbas)
    vmobject.stroke_rgbas = draw(rgbas)
    vmobject.background_stroke_rgbas = draw(rgbas)
    vmobject.stroke_width = draw(width)
    vmobject.background_stroke_width = draw(st.one_of(st.just(0), st.floats(0, 30)))
    vmobject.joint_type = draw(st.sampled_from(list(LineJointType)))
    vmobject.cap_style = draw(st.sampled_from(list(CapStyleType)))
    vmobject.sheen_direction = draw(st.sampled_from([UP, [1, -1, 0], (0.3, 0.2, 0), np.array([1, 0, 0])]))
    vmobject.shade_in_3d = in_space and draw(st.booleans())
    if draw(st.integers(0, 9)) == 0:
        vmobject.n_points_per_cubic_curve = 3
    return vmobject


def drawn(cls: type[Camera], shapes: Sequence[VMobject], native: bool, **options: Any) -> Any:
    """Return the pixels, or the kind of error where Manim cannot draw the shapes."""
    subject = cls(pixel_width=WIDTH, pixel_height=HEIGHT)
    for name, value in options.items():
        setattr(subject, name, value)
    display = camera._display_plain if native else camera._original_display_plain
    try:
        with np.errstate(all="ignore"):
            display(subject, shapes, subject.pixel_array)
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        return type(error).__name__
    return subject.pixel_array.tobytes()
