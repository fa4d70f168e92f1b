"""What native drawing has to know of a camera: for a flat one next to nothing, in space how points are projected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from manim.camera.camera import Camera
from manim.camera.three_d_camera import ThreeDCamera
from manim.mobject.mobject import Mobject

from manimcast.engine.patches import plain, summation


@dataclass(frozen=True)
class View:
    """A camera for the time of one call.

    Attributes
    ----------
    line_width_multiple
        Scene units of a stroke's width of 1.
    projection
        What the native code calls a view; None for a flat camera.
    """

    line_width_multiple: float
    projection: tuple[Any, ...] | None


def flat(camera: Camera) -> View | None:
    """Return what a flat camera sees, or None if that is odd."""
    multiple = camera.cairo_line_width_multiple
    # Manim multiplies with frame_width / frame_width, which is 1, or no number.
    if type(multiple) is not float or not 0 < multiple < math.inf or not 0 < abs(camera.frame_width) < math.inf:
        return None
    return View(multiple, None)


def space(camera: Camera) -> View | None:
    """Return what a camera in space sees, or None if that is odd or not known to be computed exactly."""
    sums = summation.formulas()
    if sums is None or not isinstance(camera, ThreeDCamera) or not plain.is_space(camera):
        return None
    seen = flat(camera)
    if seen is None or camera.exponential_projection:
        return None
    rotation, center = camera.get_rotation_matrix(), camera.frame_center
    focal_distance, zoom = camera.get_focal_distance(), camera.get_zoom()
    light = camera.light_source.points[0] if camera.should_apply_shading else None
    in_frame, fixed = camera.fixed_in_frame_mobjects, camera.fixed_orientation_mobjects
    if not _is_vector(center) or (light is not None and not _is_vector(light)):
        return None
    if type(rotation) is not np.ndarray or rotation.dtype != np.float64 or rotation.shape != (3, 3):
        return None
    if not all(isinstance(value, float) and math.isfinite(value) for value in (focal_distance, zoom)):
        return None
    if type(in_frame) is not set or type(fixed) is not dict:
        return None

    def shift(mobject: Mobject) -> list[float]:
        middle = fixed[mobject]()
        moved: list[float] = (camera.project_point(middle) - middle).tolist()
        return moved

    light = None if light is None else light.tolist()
    projection = (rotation.tolist(), center.tolist(), focal_distance, zoom, light, sums.matrix, sums.inner)
    return View(seen.line_width_multiple, (*projection, in_frame, fixed, shift))


def _is_vector(point: Any) -> bool:
    return type(point) is np.ndarray and point.dtype == np.float64 and point.shape == (3,)
