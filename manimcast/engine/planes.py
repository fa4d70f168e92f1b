"""A picture in the encoder's pixel format, in memory that is written again and again.

Frames are made of it without copying. As long as libav holds one of them, it holds a reference to the arrays that the
planes are, and gives it back with the last use of the frame's buffers. So the picture knows when it may be written.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType

import av
import numpy as np
import numpy.typing as npt

from manimcast.engine.yuv420 import Rounding

Bytes = npt.NDArray[np.uint8]

ALIGNMENT = 64
"""Rows of a plane begin at multiples of this many bytes."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane: ``padded`` is its memory, ``seen`` the part of it that is shown to encoders."""

    padded: Bytes
    seen: Bytes

    @property
    def stride(self) -> int:
        return int(self.padded.shape[1])

    @classmethod
    def of(cls, width: int, height: int, channels: int = 1, memory: Bytes | None = None) -> Plane:
        """Allocate one, or make it of ``memory``, of which there are :meth:`room` bytes.

        Like those of libavutil, it has some bytes too many for vector code that reads beyond.
        """
        stride = -(-width * channels // ALIGNMENT) * ALIGNMENT
        if memory is None:
            memory = np.empty(cls.room(width, height, channels), np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        padded = memory[start : start + stride * height].reshape(height, stride)
        seen = padded[:, : width * channels]
        return cls(padded, seen if channels == 1 else seen.reshape(height, width, channels, copy=False))

    @staticmethod
    def room(width: int, height: int, channels: int = 1) -> int:
        """Return how many bytes of memory one takes, wherever they begin."""
        return -(-width * channels // ALIGNMENT) * ALIGNMENT * height + 2 * ALIGNMENT


class Picture:
    """Planes that frames are made of, uncopied: in memory of their own or in ``memory``, of :meth:`room` bytes."""

    def __init__(
        self, native: ModuleType, pixel_format: str, width: int, height: int, memory: Bytes | None = None
    ) -> None:
        self._native, self._format, self._width, self._height = native, pixel_format, width, height
        self._planes, start = [], 0
        for size in _sizes(pixel_format, width, height):
            end = start + Plane.room(*size)
            self._planes.append(Plane.of(*size, memory=None if memory is None else memory[start:end]))
            start = end
        self._seen = [plane.seen for plane in self._planes]
        self._idle = self._references()
        self._first, self._end = 0, height

    @staticmethod
    def room(pixel_format: str, width: int, height: int) -> int:
        """Return how many bytes of memory the planes of one take."""
        return sum(Plane.room(*size) for size in _sizes(pixel_format, width, height))

    def copy(self, other: Picture) -> None:
        """Have the planes of ``other``, a picture of the same format and size."""
        for plane, others in zip(self._planes, other._planes, strict=True):
            plane.padded[...] = others.padded

    @property
    def outdated(self) -> int:
        """How many rows have to be converted before the planes are those of the picture of now."""
        return self._end - self._first

    def outdate(self, rows: tuple[int, int]) -> None:
        """Note that these rows, first and end, have changed."""
        if rows[0] < rows[1]:
            known = self._end > self._first
            self._first = min(self._first, rows[0]) if known else rows[0]
            self._end = max(self._end, rows[1]) if known else rows[1]

    def write(self, pixels: Bytes, rounding: Rounding) -> None:
        """Convert the rows that are outdated, if there are some, and what they change of neighbouring rows."""
        if not self.outdated:
            return
        where = (pixels, self._width, self._height, self._first, self._end)
        if self._format == "argb":
            (argb,) = self._planes
            self._native.rgba_to_argb(*where, argb.padded, argb.stride)
        else:
            y, u, v, *alpha = self._planes
            once = rounding is Rounding.once
            self._native.rgba_to_yuv420(*where, once, y.padded, y.stride, u.padded, v.padded, u.stride)
            for plane in alpha:
                self._native.rgba_to_alpha(*where, plane.padded, plane.stride)
        self._first = self._end = 0

    def frame(self) -> av.VideoFrame:
        """Return a new frame that shares the planes. It refers to their arrays until libav has freed its buffers."""
        if self._format == "argb":
            return av.VideoFrame.from_numpy_buffer(self._seen[0], format="argb")
        return av.VideoFrame.from_dlpack(self._seen, format=self._format, width=self._width, height=self._height)

    def is_free(self) -> bool:
        """Whether no frame of these planes is left, neither in Python nor with an encoder."""
        return self._references() == self._idle

    def _references(self) -> list[int]:
        return [sys.getrefcount(seen) for seen in self._seen]


def _sizes(pixel_format: str, width: int, height: int) -> list[tuple[int, int, int]]:
    """Return width, height and channels of each plane."""
    if pixel_format == "argb":
        return [(width, height, 4)]
    luma, chroma = (width, height, 1), (width // 2, height // 2, 1)
    return [luma, chroma, chroma, *([luma] if pixel_format == "yuva420p" else [])]
