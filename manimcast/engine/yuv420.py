"""What swscale makes of RGBA in YUV 4:2:0, in NumPy: the formula that the native conversion computes.

The documentation of the formula, and what the tests compare the native code with; nothing else uses it.

It was found from the definition of BT.601 (luma and colour differences, 16 to 235 and 16 to 240) and from comparing
pictures with what PyAV makes of them, with the same flags as its encoders use. No source of FFmpeg was read or ported.

Luma takes one pixel each, with coefficients of 15 bits, rounded. Alpha is ignored. Chroma goes two ways:

across
    Sums of two neighbours, in 64ths of a step. 14 bits and no sign: from 16 to 240, times 64.
down
    Two rows become one, by a triangle as wide as four: row ``k`` has rows ``2k - 1`` to ``2k + 2``, weighted 1 3 3 1.
    Where the picture ends, the nearest row stands for the one that is not there.

How the rows are added depends on the processor. Where swscale has no vector code for it, all is added and then
rounded. On x86 each product is cut off to eighths of a step first, which comes out up to a step lower; the last row
is rounded once even there. ``rounding`` chooses.

This holds for even sides and at least eight rows. With fewer, or an odd number, swscale's weights are others.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]

LUMA = (8414, 16519, 3208)
"""Weights of red, green and blue in luma, in units of 2**-15: 219 / 255 of 0.299, 0.587, 0.114."""

CHROMA = ((-4865, -9528, 14392), (14392, -12061, -2332))
"""The same for the two differences: 224 / 255 of -0.169, -0.331, 0.5 and of 0.5, -0.419, -0.081."""

FEWEST_ROWS = 8
"""The least height that the formula holds for."""


class Rounding(Enum):
    """How the four rows are added that make a row of chroma."""

    once = "once"
    """The sum is rounded: the plain C of swscale, and what arm64 makes of it."""
    each = "each"
    """Every product is cut off before it is added, but in the last row: swscale's vector code on x86."""


def rgba_to_yuv420p(pixels: npt.NDArray[np.uint8], rounding: Rounding) -> tuple[Plane, Plane, Plane]:
    """Return the three planes of ``pixels``, shaped (height, width, 4), which must have even sides.

    Raises :class:`ValueError` for sizes that the formula does not hold for.
    """
    height, width = pixels.shape[:2]
    if width % 2 or height % 2 or height < FEWEST_ROWS:
        raise ValueError(f"{width} x {height}: both sides must be even, and {FEWEST_ROWS} rows the least")
    rgb = pixels[..., :3].astype(np.int64)
    luma = (rgb @ LUMA + (16 << 15) + (1 << 14) + (1 << 8)) >> 15
    pairs = rgb[:, 0::2] + rgb[:, 1::2]
    u, v = (_down((pairs @ weights + (128 << 16) + (1 << 9)) >> 10, rounding) for weights in CHROMA)
    return _bytes(luma), u, v


def alpha_plane(pixels: npt.NDArray[np.uint8]) -> Plane:
    """Return the fourth plane of yuva420p: alpha, but from 128 to 254 one more."""
    alpha = pixels[..., 3].astype(np.int64)
    return _bytes(np.minimum(alpha + (alpha >> 7), 255))


def _down(rows: npt.NDArray[np.int64], rounding: Rounding) -> Plane:
    """Make one row of two: ``rows`` are chroma in 64ths."""
    height = len(rows)
    count = height // 2
    four = [rows[np.clip(2 * np.arange(count) + offset, 0, height - 1)] for offset in (-1, 0, 1, 2)]
    rounded = (four[0] + 3 * four[1] + 3 * four[2] + four[3] + 256) >> 9
    if rounding is Rounding.once:
        return _bytes(rounded)
    cut = (four[0] >> 6) + (3 * four[1] >> 6) + (3 * four[2] >> 6) + (four[3] >> 6)
    # Above the first row there is none; the two weights of the same row are added before anything is cut off.
    cut[0] = (4 * rows[0] >> 6) + (3 * rows[1] >> 6) + (rows[2] >> 6)
    plane = (cut + 5) >> 3
    plane[-1] = rounded[-1]
    return _bytes(plane)


def _bytes(plane: npt.NDArray[np.int64]) -> Plane:
    return plane.astype(np.uint8)
