"""Rotations: matrices that were made before.

A turn asks for the matrix once for the points and once for the sheen of each member of the family, and a path along an
arc once for each of them at each frame.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from manim.mobject import mobject as mobject_module
from manim.utils import paths, space_ops

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.utils.space_ops.rotation_matrix",
        space_ops.rotation_matrix,
        "f3464e5bbd46a4560b6ee725ad72a6fabc512ba1d06cc24f66cd3ace3843733b",
        "Upstream has SciPy make a rotation from a vector and a matrix from it, 50 microseconds a time.",
    ),
)

KEPT = 4096
"""Matrices that are kept at most, 72 bytes each."""

_original = space_ops.rotation_matrix
_matrices: dict[bytes, npt.NDArray[np.float64]] = {}


def install() -> None:
    """Put the patch in place."""
    for module in (space_ops, mobject_module, paths):
        if module.rotation_matrix is _original:
            module.rotation_matrix = _rotation_matrix  # type: ignore[attr-defined]


@functools.wraps(_original)
def _rotation_matrix(angle: float, axis: Any, homogeneous: bool = False) -> npt.NDArray[np.float64]:
    key = None if homogeneous else _key(angle, axis)
    if key is None:
        return _original(angle, axis, homogeneous)
    found = _matrices.get(key)
    if found is None:
        if len(_matrices) >= KEPT:
            _matrices.clear()
        found = _matrices[key] = _original(angle, axis)
    return found.copy(order="K")


def _key(angle: Any, axis: Any) -> bytes | None:
    """Return the bits of an angle and an axis that are floats; zeros of either sign are different ones."""
    if type(angle) not in (float, np.float64):
        return None
    if type(axis) is np.ndarray:
        if axis.dtype != np.float64 or axis.shape != (3,):
            return None
        return np.float64(angle).tobytes() + axis.tobytes()
    if isinstance(axis, Sequence) and len(axis) == 3 and all(type(value) is float for value in axis):
        return np.array((angle, *axis)).tobytes()
    return None
