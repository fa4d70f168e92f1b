"""How a camera shows images: as Manim does, but only where the image is, and only as much of it as is in sight.

Manim transforms all of an image, however far it reaches beyond the frame, pastes it into a picture of the frame's size,
and lays that over the frame. Here Manim's own method runs, with a stand-in for Pillow's module which remembers what is
asked of it; at the end the part in sight is transformed, by native code if that gives Pillow's pixels on this machine,
and laid over that part of the frame.
"""

from __future__ import annotations

import functools
import logging
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
from manim.camera.camera import Camera
from manim.mobject.types.image_mobject import AbstractImageMobject
from PIL import Image

from manimcast.engine import native
from manimcast.engine.patches import frame
from manimcast.engine.patches.patch import Patch

log = logging.getLogger(__name__)

PATCHES = (
    Patch(
        "manim.camera.camera.Camera.display_image_mobject",
        Camera.display_image_mobject,
        "33bf81c2f98391cdcbef687e65d9a9764462563937c86448253284792a097575",
        "It transforms what nobody sees, and goes through the whole frame for each image.",
    ),
    Patch(
        "manim.camera.camera.Camera.overlay_PIL_image",
        Camera.overlay_PIL_image,
        "912bfa0cc5106da78359f17d6375a63df650fd33ab74a89b5c3ee1af19519a19",
        "It goes through the whole frame, and copies it three times.",
    ),
    Patch(
        "manim.camera.camera.Camera.display_multiple_image_mobjects",
        Camera.display_multiple_image_mobjects,
        "6a969cb5f0868b416cfcd95a975a9b331828dbfe0fc64ef7d0f07dbda6fa2a4d",
        "Not replaced: relied on to show one image after the other.",
    ),
)

BANDS = 4
FRAME_DIMENSIONS = 2
"""Of the array that Manim makes the empty picture of; those of images have three."""
Box = tuple[int, int, int, int]
"""Left, top, and the column and row behind the last."""

_original_display = Camera.display_image_mobject
_original_overlay = Camera.overlay_PIL_image
_original_display_all = Camera.display_multiple_image_mobjects
_upstream: Any = sys.modules[Camera.__module__]


def install() -> None:
    """Put the patches in place, where there is a native part."""
    if native.library is None:
        return
    Camera.display_image_mobject = _display  # type: ignore[method-assign]
    Camera.overlay_PIL_image = _overlay  # type: ignore[method-assign]


def are_marked(camera: Camera, show: Any) -> bool:
    """Return whether images that ``camera`` shows by calling ``show`` note the rows that they are drawn on."""
    return getattr(show, "__func__", None) is _original_display_all and frame.is_known(camera)


class _Sheet:
    """Stands for a picture made of an array: an image, or the empty one of the frame's size that it is put into."""

    def __init__(self, array: np.ndarray, mode: str) -> None:
        self.height, self.width = array.shape[:2]
        self._array, self._mode = array, mode
        # The empty one is never looked at; for an array that Pillow refuses it says so at once.
        self._image = None if array.ndim == FRAME_DIMENSIONS else Image.fromarray(array, mode=mode)
        self.content: tuple[_Seen, tuple[int, int]] | None = None

    @property
    def image(self) -> Image.Image:
        return Image.fromarray(self._array, mode=self._mode) if self._image is None else self._image

    def transform(self, *, size: Any, method: Any, data: Any, resample: Any) -> _Seen:
        return _Seen(self, (int(size[0]), int(size[1])), method, data, resample)

    def paste(self, seen: _Seen, *, box: Box) -> None:
        self.content = seen, (int(box[0]), int(box[1]))


class _Seen:
    """Stands for an image that was transformed."""

    def __init__(self, sheet: _Sheet, size: tuple[int, int], method: Any, data: Any, resample: Any) -> None:
        self._image = sheet.image
        self._size, self._method, self._data, self._resample = size, method, data, resample
        self.size = size
        self._is_native = resample == Image.Resampling.BICUBIC and min(self._image.size) > 0 and gives_the_same()
        self._whole = None if self._is_native else self._transformed()

    def part(self, box: Box) -> Image.Image:
        """Return what is within ``box`` of it."""
        return _perspective(self._image, self._data, box) if self._whole is None else self._whole.crop(box)

    def _transformed(self) -> Image.Image:
        return self._image.transform(size=self._size, method=self._method, data=self._data, resample=self._resample)


class _Pillow:
    """Stands for :mod:`PIL.Image` in Manim's method."""

    Transform = Image.Transform

    @staticmethod
    def fromarray(array: np.ndarray, *, mode: str) -> _Sheet:
        return _Sheet(array, mode)


_display_by_stand_in = types.FunctionType(
    _original_display.__code__,
    {**_upstream.__dict__, "Image": _Pillow},
    _original_display.__name__,
    _original_display.__defaults__,
    _original_display.__closure__,
)


def _display(self: Camera, image_mobject: AbstractImageMobject, pixel_array: np.ndarray) -> None:
    if (
        frame.is_known(self)
        and self.image_mode == "RGBA"
        and _is_picture(pixel_array)
        and pixel_array.shape[:2] == (self.pixel_height, self.pixel_width)
    ):
        _display_by_stand_in(self, image_mobject, pixel_array)
        return
    frame.mark_all(self)
    _original_display(self, image_mobject, pixel_array)


def _is_picture(array: Any) -> bool:
    return type(array) is np.ndarray and array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == BANDS


def _overlay(self: Camera, pixel_array: np.ndarray, image: Image.Image | _Sheet) -> None:
    if not isinstance(image, _Sheet):
        frame.mark_all(self)
        _original_overlay(self, pixel_array, image)
        return
    if image.content is None:
        return
    seen, (x, y) = image.content
    left, top = max(0, x), max(0, y)
    right, bottom = min(image.width, x + seen.size[0]), min(image.height, y + seen.size[1])
    if left >= right or top >= bottom:
        return
    marks = frame.marks(self, pixel_array)
    if marks is not None:
        marks[top:bottom] = b"\1" * (bottom - top)
    below = pixel_array[top:bottom, left:right]
    above = seen.part((left - x, top - y, right - x, bottom - y))
    below[...] = np.asarray(Image.alpha_composite(Image.fromarray(below, mode="RGBA"), above))


def _perspective(image: Image.Image, data: Any, box: Box) -> Image.Image:
    """Return a part of ``image`` in perspective, RGBA; like Pillow it goes by colours that are multiplied by alpha."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    seen = np.empty((height, width, BANDS), np.uint8)
    pixels = image.convert("RGBa").tobytes()
    coefficients = tuple(map(float, data))
    native.library.perspective(pixels, image.width, image.height, coefficients, left, top, width, height, seen)
    return Image.frombuffer("RGBa", (width, height), seen, "raw", "RGBa", 0, 1).convert("RGBA")


@functools.cache
def gives_the_same() -> bool:
    """Return whether the native code gives Pillow's pixels here; a difference is said in the log."""
    for image, size, data in _probes():
        how = {"method": Image.Transform.PERSPECTIVE, "data": data, "resample": Image.Resampling.BICUBIC}
        expected = image.transform(size, **how)  # type: ignore[arg-type]
        if _perspective(image, data, (0, 0, *size)).tobytes() != expected.tobytes():
            log.warning("Images are transformed by Pillow, slowly: the native code gives other pixels here.")
            return False
    return True


def _probes() -> Iterator[tuple[Image.Image, tuple[int, int], tuple[float, ...]]]:
    """Yield images of noise with sizes and coefficients: larger, smaller, turned, in perspective, beyond the edges."""
    chance = np.random.default_rng(7)
    for data in (
        (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
        (0.37, 0.0, 0.0, 0.0, 0.41, 0.0, 0.0, 0.0),
        (1.9, 0.0, 0.3, 0.0, 2.3, 0.1, 0.0, 0.0),
        (0.6, 0.31, -4.7, -0.29, 0.7, 3.1, 0.0, 0.0),
        (0.9, 0.2, -3.3, -0.1, 1.1, 0.7, 0.004, -0.003),
    ):
        for opaque in (False, True):
            pixels = chance.integers(0, 256, (23, 31, BANDS), np.uint8)
            if opaque:
                pixels[..., 3] = 255
            yield Image.fromarray(pixels, mode="RGBA"), (47, 37), data
