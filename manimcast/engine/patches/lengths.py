"""Lengths of the curves of a path that were measured before.

To find a point at a proportion along a path, Manim measures all its curves, ten points each, and does so anew at each
frame of something that moves along it.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import sys
from typing import Any

import numpy as np
from manim.mobject.types.vectorized_mobject import VMobject

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.point_from_proportion",
        VMobject.point_from_proportion,
        "f33f58a3876e19551bb618ff6b540b9fcfd5129c788d6da8d55f089004515c8e",
        "Upstream measures all curves of the path each time.",
    ),
    *(
        Patch(f"manim.mobject.types.vectorized_mobject.VMobject.{method.__name__}", method, digest, "Relied on.")
        for method, digest in (
            (
                VMobject.get_curve_functions_with_lengths,
                "55b542420c1ef369b44e66c136acd6c8a6a5f78abcaab4170eca0f12252e1c4b",
            ),
            (
                VMobject.get_nth_curve_function_with_length,
                "3055675a22ea166e06177ccdef69fcd6586ed20fecaf9be2f6a87109b20faddd",
            ),
            (VMobject.get_nth_curve_length_pieces, "3066c2f6c2f2a0a16d3fbbfaf3c947c4b654bd62104ad3f87103089860635d43"),
            (VMobject.get_nth_curve_function, "8efd9d39d7438f51a7b5833251587bb5c7acf211dd58c085c54215086a4fb8f6"),
            (VMobject.get_nth_curve_points, "a60d9ccee419e2106272751326ac8f746578b1842b0882a34e82951e828b5fef"),
            (VMobject.get_num_curves, "395e4fac5bdb4323b826eb025dbdd40b5dea50ffeacdbef951cdf139cf4bfe5c"),
        )
    ),
)

KEPT = 64
"""Paths whose lengths are kept at most."""
LARGEST = 1 << 18
"""Bytes of a path's points, at most."""

_METHODS = tuple(patch.upstream.__name__ for patch in PATCHES[1:])

_upstream: Any = sys.modules[VMobject.__module__]
_original = VMobject.point_from_proportion
_stock_methods = tuple(getattr(VMobject, name) for name in _METHODS)
_stock_bezier = _upstream.bezier
_measured: dict[tuple[int, bytes], tuple[list[Any], list[Any]]] = {}


def install() -> None:
    """Put the patch in place."""
    VMobject.point_from_proportion = _point_from_proportion  # type: ignore[method-assign]


@functools.wraps(_original)
def _point_from_proportion(self: VMobject, alpha: float) -> Any:
    if type(alpha) not in (float, np.float64) or not 0 <= alpha < 1 or not _is_plain(self):
        return _original(self, alpha)
    key = self.n_points_per_cubic_curve, self.points.tobytes()
    found = _measured.get(key)
    if found is None:
        lengths = [length for _, length in self.get_curve_functions_with_lengths()]
        found = lengths, list(itertools.accumulate(lengths))
        if len(_measured) >= KEPT:
            _measured.clear()
        _measured[key] = found
    lengths, ends = found
    target = alpha * sum(lengths)
    index = bisect.bisect_left(ends, target)
    if index == len(ends) or not np.isfinite(ends[-1]):
        return _original(self, alpha)
    before = ends[index - 1] if index else 0
    residue = (target - before) / lengths[index] if lengths[index] != 0 else 0
    return self.get_nth_curve_function(index)(residue)


def _is_plain(vmobject: VMobject) -> bool:
    points: Any = vmobject.points
    return (
        type(points) is np.ndarray
        and points.dtype == np.float64
        and points.ndim == 2
        and points.shape[1] == 3
        and 0 < points.nbytes <= LARGEST
        and tuple(getattr(type(vmobject), name) for name in _METHODS) == _stock_methods
        and not any(name in vars(vmobject) for name in _METHODS)
        and _upstream.bezier is _stock_bezier
    )
