"""Whether the camera holds the pixels of the last frame. Where they are drawn elsewhere it does not.

Code that reads them all the same is answered by :data:`guard`, which has the scene drawn another way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from manim.camera.camera import Camera

from manimcast.engine.patches.published import publish


class Guard:
    """Knows whether the pixels are stale, and whom to call when they are read.

    Attributes
    ----------
    stale
        Whether the last frame was drawn elsewhere.
    on_read
        Called when stale pixels are read. It does not return unless they may be read.
    """

    def __init__(self) -> None:
        self.stale = False
        self.on_read: Callable[[], None] | None = None
        self._drawing = False

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """The engine itself uses the pixels."""
        before, self._drawing = self._drawing, True
        try:
            yield
        finally:
            self._drawing = before

    def read(self) -> None:
        """Somebody reads the pixels."""
        if self.stale and not self._drawing and self.on_read is not None and not _asks_for_the_size():
            self.on_read()


guard = Guard()
"""This process's."""


class _GuardedPixels:
    """``Camera.pixel_array``, which Manim keeps as an attribute of each camera.

    Who reads it may keep it and write to it, so the array counts as published from then on; the engine itself asks
    :func:`~manimcast.engine.patches.frame.pixels`.
    """

    def __get__(self, camera: Camera | None, owner: type[Camera]) -> Any:
        if camera is None:
            return self
        if guard.stale:
            guard.read()
        try:
            pixels = camera.__dict__["pixel_array"]
        except KeyError:
            raise AttributeError(f"{owner.__name__!r} object has no attribute 'pixel_array'") from None
        publish(pixels)
        return pixels

    def __set__(self, camera: Camera, pixels: Any) -> None:
        publish(pixels)
        camera.__dict__["pixel_array"] = pixels


def install() -> None:
    """Watch who reads pixels."""
    Camera.pixel_array = _GuardedPixels()  # type: ignore[assignment]


def _asks_for_the_size() -> bool:
    """Return whether it is Manim that only wants the shape of another camera's picture."""
    frame = sys._getframe(3)
    above = frame.f_back
    return (
        frame.f_code.co_name == "get_pixel_array"
        and above is not None
        and above.f_code.co_name == "reset_points"
        and above.f_globals.get("__name__") == "manim.mobject.types.image_mobject"
    )
