"""From pixels to frames in the encoder's pixel format: the very planes that Manim's own path makes, in less time.

Manim makes a frame of the RGBA array, and PyAV has swscale convert it when it is encoded. That copies the picture,
allocates two frames for it, and takes ten times as long as it need. A :class:`Converter` has its own native code for
the formats that videos are made in, and writes again into planes that the encoder has let go of.

What swscale computes depends on the processor, so the native code is not believed: before it is used for a size it is
compared with PyAV on pictures of that width and that height, once in a process and what is forked from it
(:func:`native_rounding`). Where one bit differs, and for formats and sizes without native code, PyAV converts.
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Sequence
from types import ModuleType

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from manimcast.engine.native import library
from manimcast.engine.planes import Picture
from manimcast.engine.yuv420 import FEWEST_ROWS, Rounding

log = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]

NATIVE_FORMATS = ("yuv420p", "yuva420p", "argb")
"""The pixel formats that there is native code for: those of Manim's MP4, WebM and transparent QuickTime files."""

DIFFERS = "the native conversion gives other planes on this processor"

_KEPT_PICTURES = 3


class Converter:
    """Makes frames of pictures of one size, one after the other; for one encoder at a time.

    Parameters
    ----------
    pixel_format
        FFmpeg's name of it, such as ``yuv420p``.
    width, height
        Of the picture, in pixels.
    """

    def __init__(self, pixel_format: str, width: int, height: int) -> None:
        self.pixel_format, self.width, self.height = pixel_format, width, height
        self._rounding = native_rounding(pixel_format, width, height)
        self._reformatter: VideoReformatter | None = None
        self._pictures: list[Picture] = []
        self._last_frame: av.VideoFrame | None = None

    @property
    def is_native(self) -> bool:
        """Whether the native code converts, and not PyAV."""
        return self._rounding is not None

    def convert(self, pixels: Pixels, rows: tuple[int, int] | None = None) -> av.VideoFrame:
        """Return a frame of ``pixels``, shaped (height, width, 4), RGBA from the top left, C-contiguous.

        The pixels are not kept. The frame is good for as long as somebody holds it: its planes are written again only
        after the encoder and everybody else have let go of it. Its time is for the caller to set.

        ``rows``, first and end, says that only these rows differ from the picture of the call before. The frame is the
        same as without it. An empty range means the same picture again.

        Raises :class:`ValueError` or :class:`TypeError` for pixels of another shape, layout or type.
        """
        self._check(pixels, rows)
        if self._rounding is None or library is None:
            return self._convert_through_pyav(pixels, rows)
        for picture in self._pictures:
            picture.outdate(rows or (0, self.height))
        current = next((picture for picture in self._pictures if not picture.outdated), None)
        if current is None:
            current = self._writable(library)
            current.write(pixels, self._rounding)
        return current.frame()

    def _check(self, pixels: Pixels, rows: tuple[int, int] | None) -> None:
        shape = (self.height, self.width, 4)
        if pixels.shape != shape:
            raise ValueError(f"The pixels must have the shape {shape}, not {pixels.shape}.")
        if pixels.dtype != np.uint8:
            raise TypeError(f"The pixels must be uint8, not {pixels.dtype}.")
        if not pixels.flags.c_contiguous:
            raise ValueError("The pixels must be C-contiguous.")
        if rows is not None and not 0 <= rows[0] <= rows[1] <= self.height:
            raise ValueError(f"Rows {rows[0]} to {rows[1]} are not of a picture of {self.height} rows.")

    def _writable(self, native: ModuleType) -> Picture:
        """Return a picture that nobody reads any more; of several, the one with the least to convert."""
        free = [picture for picture in self._pictures if picture.is_free()]
        if free:
            return min(free, key=lambda picture: picture.outdated)
        picture = Picture(native, self.pixel_format, self.width, self.height)
        self._pictures = [*self._pictures[1 - _KEPT_PICTURES :], picture]
        return picture

    def _convert_through_pyav(self, pixels: Pixels, rows: tuple[int, int] | None) -> av.VideoFrame:
        if self._last_frame is None or rows is None or rows[0] < rows[1]:
            self._reformatter = self._reformatter or VideoReformatter()
            self._last_frame = _through_pyav(self._reformatter, pixels, self.pixel_format)
        return self._last_frame


def changed_rows(before: Pixels, after: Pixels) -> tuple[int, int]:
    """Return the rows, first and end, from the first to the last that differs; (0, 0) for equal pictures.

    Both are C-contiguous and of one shape. For equal pictures it takes half as long as converting one, for others less.
    """
    if before.shape != after.shape:
        raise ValueError(f"Pictures of different shapes: {before.shape} and {after.shape}.")
    if library is not None:
        first, end = library.changed_rows(before, after, len(before))
        return first, end
    changed = np.flatnonzero((before != after).reshape(len(before), -1).any(axis=1))
    return (int(changed[0]), int(changed[-1]) + 1) if len(changed) else (0, 0)


@functools.cache
def native_rounding(pixel_format: str, width: int, height: int) -> Rounding | None:
    """Return how the native code has to round here to give PyAV's planes; None if PyAV has to convert.

    The first call for a size compares, which takes a millisecond or two; who forks does well to have called it before,
    as :mod:`.warm` does for the usual sizes. A difference is said in the log.
    """
    if library is None or pixel_format not in NATIVE_FORMATS:
        return None
    if pixel_format != "argb" and (width % 2 or height % 2 or height < FEWEST_ROWS):
        log.info("%d x %d in %s is converted by PyAV: there is no faster way.", width, height, pixel_format)
        return None
    probes = _probes(width, height)
    reformatter = VideoReformatter()
    expected = [_planes(_through_pyav(reformatter, probe, pixel_format)) for probe in probes]
    for rounding in Rounding:
        if all(map(_equal, expected, (_natively(library, probe, pixel_format, rounding) for probe in probes))):
            return rounding
    log.warning("Pictures of %d x %d in %s are converted by PyAV, slowly: %s.", width, height, pixel_format, DIFFERS)
    return None


def _probes(width: int, height: int) -> list[Pixels]:
    """Return pictures that show a difference if there is one for this size.

    Each row of a plane is computed alike but for the first and the last, and each column but for what is left over at
    the right. So a low picture of that width and a narrow one of that height say as much as one of the whole size.
    """
    low, narrow = (min(height, 16), width, 4), (height, min(width, 16), 4)
    noise = np.random.default_rng(5).bytes(max(math.prod(low), math.prod(narrow)))
    probes: list[Pixels] = [np.frombuffer(noise, np.uint8, math.prod(shape)).reshape(shape) for shape in (low, narrow)]
    return [*probes, *(np.where(probe < 128, np.uint8(0), np.uint8(255)) for probe in probes)]


def _through_pyav(reformatter: VideoReformatter, pixels: Pixels, pixel_format: str) -> av.VideoFrame:
    """Convert as encoding a frame of RGBA would. The number of threads makes no difference to the planes."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
    return reformatter.reformat(frame, format=pixel_format, threads=1)


def _natively(native: ModuleType, pixels: Pixels, pixel_format: str, rounding: Rounding) -> list[Pixels]:
    height, width = pixels.shape[:2]
    picture = Picture(native, pixel_format, width, height)
    picture.write(pixels, rounding)
    return _planes(picture.frame())


def _planes(frame: av.VideoFrame) -> list[Pixels]:
    """Return the bytes of each plane, without what pads its rows."""
    packed = 4 if frame.format.name == "argb" else 1
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : packed * plane.width]
        for plane in frame.planes
    ]


def _equal(some: Sequence[Pixels], others: Sequence[Pixels]) -> bool:
    return all(map(np.array_equal, some, others))
