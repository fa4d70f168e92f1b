"""In which order NumPy's BLAS sums, found out by comparing: the last bit of a projected point depends on it.

``np.dot`` on three components is ``a0*b0 + a1*b1 + a2*b2``, but libraries differ, and within one library the kernels
for different processors and shapes, in the order and in where they fuse a multiplication with an addition. Each of the
24 ways is tried on random vectors; if exactly one gives NumPy's bits everywhere, the native code uses that. If none
does, drawing in space is left to Manim.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from manimcast.engine import native

WAYS = range(24)
_SIZES = (*range(2, 50), 63, 64, 65, 100, 127, 128, 129, 200, 256, 400, 513, 1000, 3001)


@dataclass(frozen=True)
class Formulas:
    """The native code's number of the way in which NumPy computes each of these."""

    matrix: int
    """Two or more points times a transposed matrix: matrix by matrix."""
    vector: int
    """One point times a transposed matrix."""
    inner: int
    """The inner product of two vectors."""


@functools.cache
def formulas() -> Formulas | None:
    """Return the ways that are used here, or None if one of them is none that is known."""
    if native.library is None:
        return None
    generator = np.random.Generator(np.random.PCG64(20221))
    matrices, vectors, inners = set(WAYS), set(WAYS), set(WAYS)
    for size in _SIZES:
        points = generator.normal(size=(size, 3)) * 10.0 ** generator.integers(-3, 3, size=(size, 3))
        rotation = np.linalg.qr(generator.normal(size=(3, 3)))[0]
        product = np.dot(points, rotation.T)
        for axis in range(3):
            rows = np.repeat(rotation[axis : axis + 1], size, axis=0)
            matrices = _agreeing(matrices, points, rows, product[:, axis].tolist())
        single = points[:40]
        rows = np.repeat(rotation[2:3], len(single), axis=0)
        vectors = _agreeing(vectors, single, rows, [float(np.dot(point, rotation.T)[2]) for point in single])
        others = generator.normal(size=single.shape)
        expected = [float(np.dot(a, b)) for a, b in zip(single, others, strict=True)]
        inners = _agreeing(inners, single, others, expected)
    if not (matrices and vectors and inners):
        return None
    return Formulas(matrix=min(matrices), vector=min(vectors), inner=min(inners))


def _agreeing(ways: set[int], a: np.ndarray, b: np.ndarray, expected: list[float]) -> set[int]:
    return {way for way in ways if native.library.dots(way, np.ascontiguousarray(a), b) == expected}
