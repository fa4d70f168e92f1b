"""Bounds and places: where a mobject is, how large, and where its path is interrupted.

``next_to``, ``arrange``, ``center``, ``scale`` and the rest all ask for three extremes of all anchors, and Manim
gathers these point by point.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from manim.mobject.mobject import Mobject
from manim.mobject.types.vectorized_mobject import VMobject

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.get_points_defining_boundary",
        VMobject.get_points_defining_boundary,
        "13057979b204e9b663c283c3d37e857b9db75500b0d4db15b8335acb55dae0ad",
        "Upstream makes a tuple of all anchors and an array of the tuple.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.get_anchors",
        VMobject.get_anchors,
        "570aac67257a511caf8e9a34e11a649bd4de323f0e5cd1264cbe5fc3ea1a9083",
        "What is done for a whole family at once.",
    ),
    Patch(
        "manim.mobject.mobject.Mobject.get_merged_array",
        Mobject.get_merged_array,
        "37250fc3df5be5560db1a24a7e0e7f0dc9330b1869ccea18dd1058548fff2443",
        "Upstream appends the arrays of a family one after the other, and copies all before each time.",
    ),
    Patch(
        "manim.mobject.mobject.Mobject.get_critical_point",
        Mobject.get_critical_point,
        "8f92263906777cc315c69ce12206f2859f669bc7b6ba4a131db2cc23ba16be97",
        "The same extremes, without what NumPy's functions do before they call the same loop.",
    ),
    Patch(
        "manim.mobject.mobject.Mobject.get_extremum_along_dim",
        Mobject.get_extremum_along_dim,
        "a23835c56ae1fd86b883aed8af3e2faf4879fc57239f9bfbb9150acfab11de40",
        "What is done for three dimensions in a row.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.consider_points_equals",
        VMobject.consider_points_equals,
        "8bc045c557a76e2a821866376af376e50061f15e58caf4529470a57162f88ce9",
        "numpy.allclose takes 20 microseconds for three floats.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.get_subpaths_from_points",
        VMobject.get_subpaths_from_points,
        "b92d6ab26905518bf0e1db2c886835fde798233aa10b460b30969a9cb1891864",
        "The ends of all curves are compared at once.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject._gen_subpaths_from_points",
        VMobject._gen_subpaths_from_points,
        "821b9ba0135072e4734d9549a0df9196af7c7df487c0d5b1b3d5a82f5a76f65d",
        "What is done for all curves at once.",
    ),
)

Points = npt.NDArray[np.float64]

RELATIVE_TOLERANCE = 1e-5
"""That of numpy.isclose."""

_ANCHORS = ("get_anchors", "get_start_anchors", "get_end_anchors", "n_points_per_curve")
_ENDS = ("consider_points_equals", "_gen_subpaths_from_points")

_original_boundary = VMobject.get_points_defining_boundary
_original_merged = Mobject.get_merged_array
_original_critical_point = Mobject.get_critical_point
_original_equals = VMobject.consider_points_equals
_original_subpaths = VMobject.get_subpaths_from_points
_stock_anchors = tuple(getattr(VMobject, name) for name in _ANCHORS)
_stock_extremum = Mobject.get_extremum_along_dim
_stock_generate = VMobject._gen_subpaths_from_points


def install() -> None:
    """Put the patches in place."""
    VMobject.get_points_defining_boundary = _boundary  # type: ignore[method-assign]
    Mobject.get_merged_array = _merged  # type: ignore[method-assign]
    Mobject.get_critical_point = _critical_point  # type: ignore[method-assign]
    VMobject.consider_points_equals = _equals  # type: ignore[method-assign]
    VMobject.get_subpaths_from_points = _subpaths  # type: ignore[method-assign]


def _is_plain(array: Any) -> bool:
    return type(array) is np.ndarray and array.dtype == np.float64


@functools.wraps(_original_boundary)
def _boundary(self: VMobject) -> Points:
    parts: list[Points] = []
    for mobject in self.get_family():
        points = mobject.points
        if (
            not isinstance(mobject, VMobject)
            or not _is_plain(points)
            or points.ndim != 2
            or tuple(getattr(type(mobject), name) for name in _ANCHORS) != _stock_anchors
        ):
            return _original_boundary(self)
        count, width = points.shape
        per_curve = mobject.n_points_per_cubic_curve
        if count == 1:
            parts.append(points)
        elif count:
            if count % per_curve or per_curve < 2:
                return _original_boundary(self)
            ends = points.reshape(-1, per_curve, width)
            parts.append(ends[:, :: per_curve - 1].reshape(-1, width))
    if not parts:
        return _original_boundary(self)
    return parts[0].copy() if len(parts) == 1 else np.concatenate(parts)


@functools.wraps(_original_merged)
def _merged(self: Mobject, array_attr: str) -> Any:
    if not self.submobjects:
        return getattr(self, array_attr)
    parts: list[Any] = []
    waiting: list[Mobject] = [self]
    while waiting:
        mobject = waiting.pop()
        if type(mobject).get_merged_array is not _merged or len(parts) > _MANY:
            return _original_merged(self, array_attr)
        part = getattr(mobject, array_attr)
        if not _is_plain(part):
            return _original_merged(self, array_attr)
        parts.append(part)
        waiting.extend(reversed(mobject.submobjects))
    return np.concatenate(parts)


_MANY = 1_000_000
"""More than any family has: one of its members is beneath itself."""


@functools.wraps(_original_critical_point)
def _critical_point(self: Mobject, direction: Any) -> Points:
    if type(self).get_extremum_along_dim is not _stock_extremum:
        return _original_critical_point(self, direction)
    all_points = self.get_points_defining_boundary()
    if not _is_plain(all_points) or all_points.ndim != 2:
        return _original_critical_point(self, direction)
    result = np.zeros(self.dim)
    if len(all_points) == 0:
        return result
    for dim in range(self.dim):
        key = direction[dim]
        values = all_points[:, dim]
        if key < 0:
            result[dim] = np.minimum.reduce(values)
        elif key == 0:
            result[dim] = (np.minimum.reduce(values) + np.maximum.reduce(values)) / 2
        else:
            result[dim] = np.maximum.reduce(values)
    return result


@functools.wraps(_original_equals)
def _equals(self: VMobject, p0: Any, p1: Any) -> bool:
    tolerance = self.tolerance_for_point_equality
    if not (
        _is_plain(p0)
        and _is_plain(p1)
        and p1.ndim == 1
        and p0.shape[-1:] == p1.shape
        and p0.ndim in (1, 2)
        and type(tolerance) is float
        and math.isfinite(tolerance)
    ):
        return _original_equals(self, p0, p1)
    point = p1.tolist()
    for other in p0.tolist() if p0.ndim == 2 else (p0.tolist(),):
        for x, y in zip(other, point, strict=True):
            if not (x == y or (abs(x - y) <= tolerance + RELATIVE_TOLERANCE * abs(y) and math.isfinite(y))):
                return False
    return True


@functools.wraps(_original_subpaths)
def _subpaths(self: VMobject, points: Any) -> list[Any]:
    cls = type(self)
    tolerance = self.tolerance_for_point_equality
    per_curve = self.n_points_per_cubic_curve
    if (
        cls.consider_points_equals is not _equals
        or cls._gen_subpaths_from_points is not _stock_generate
        or not _is_plain(points)
        or points.ndim != 2
        or not (type(tolerance) is float and math.isfinite(tolerance))
        or len(points) <= 4 * per_curve
    ):
        return _original_subpaths(self, points)
    starts = points[per_curve::per_curve]
    ends = points[per_curve - 1 :: per_curve][: len(starts)]
    with np.errstate(invalid="ignore"):
        near = np.abs(ends - starts) <= tolerance + RELATIVE_TOLERANCE * np.abs(starts)
        same = (near & np.isfinite(starts)) | (ends == starts)
    splits = ((np.flatnonzero(~same.all(axis=1)) + 1) * per_curve).tolist()
    bounds = [0, *splits, len(points)]
    return [points[first:last] for first, last in itertools.pairwise(bounds) if last - first >= per_curve]
