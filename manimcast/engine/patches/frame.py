"""The frame that is drawn on: put back by rows instead of copied whole, and which rows have changed since.

At 1080p a frame has 8 MB. Stock Manim copies the background into it before each frame, and copies it out afterwards.
Most of that is the same as before, so only the rows that were drawn on are put back.

That holds only as long as nobody else writes into these arrays. Nobody can who has never had one in hands: reading
``camera.pixel_array``, ``camera.background`` or ``renderer.static_image`` from outside ends it for that array (it is
*published*), and from then on everything is copied as ever. What Manim itself draws by other ways than natively
marks all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
from manim.camera.camera import Camera
from manim.camera.moving_camera import MovingCamera
from manim.camera.multi_camera import MultiCamera
from manim.camera.three_d_camera import ThreeDCamera
from manim.mobject.mobject import Mobject
from manim.renderer.cairo_renderer import CairoRenderer
from manim.scene.scene import Scene
from manim.utils.color import color_to_int_rgba
from manim.utils.iterables import list_update

from manimcast.engine import native
from manimcast.engine.parallel.pixels import guard
from manimcast.engine.patches.patch import Patch
from manimcast.engine.patches.published import is_private, keep, publish

PATCHES = (
    Patch(
        "manim.camera.camera.Camera.set_pixel_array",
        Camera.set_pixel_array,
        "5bcba816d6abd92b25f67b95b057142bf794a2f3a2f57d371d376dbe5c2f71ce",
        "It copies a whole frame; only the rows that differ are copied.",
    ),
    Patch(
        "manim.camera.camera.Camera.reset",
        Camera.reset,
        "4d3cf5d3ee7a476177e995f448c1ff8f3c4f390e4953edeaaf468151a5ba741c",
        "It reads the background, which is watched.",
    ),
    Patch(
        "manim.camera.camera.Camera.init_background",
        Camera.init_background,
        "fd1161dedfbfb9727fea6166020d8667d42e46eef055d192883b03a014282e3a",
        "It makes the background, which nobody else has yet, and fills it slowly.",
    ),
    Patch(
        "manim.camera.camera.Camera.set_background",
        Camera.set_background,
        "6fff957cc48b7d0f29a218e080d7e416d19323b127db9656c287526b656995e9",
        "It copies what it is given into a background that nobody else has yet.",
    ),
    Patch(
        "manim.camera.camera.Camera.set_frame_to_background",
        Camera.set_frame_to_background,
        "5bf85c954726e648f6654ad63180cc48713137ed2cdf173a7469215ccb950e07",
        "Not replaced: relied on to call set_pixel_array.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.update_frame",
        CairoRenderer.update_frame,
        "8f79c10a482647be4d6e309d589e322b2d12fed06e1aee8350805fe30affebf9",
        "It reads the static image, which is watched.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.get_frame",
        CairoRenderer.get_frame,
        "9d5ffa0b9ee9bdb1b6f0250e298cd1d88d3543153052b37f697f56172584f8ca",
        "It reads the camera's frame, which is watched.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.render",
        CairoRenderer.render,
        "924e3bd668b26dc0fa7858fe665063b8a6a36284c555fbf6867ece61d1c08d74",
        "It copies each frame, also for a writer that does not keep it.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.save_static_frame_data",
        CairoRenderer.save_static_frame_data,
        "bd2d2188c2085080b02af4c26103364227b4ebfd9bdb439b9c7f64ec09e5cc30",
        "The camera's frame is equal to the static image that it makes, so it need not be copied back.",
    ),
)

Rows = tuple[int, int]
"""The first row, and the one behind the last."""

_STATE = "_manimcast_frame"


class Frame:
    """What is known of a camera's pixels.

    Attributes
    ----------
    array
        The pixels, height x width x 4.
    base
        What they were before they were drawn on.
    drawn
        For each row whether it may differ from ``base``; native code sets it.
    below
        What ``base`` itself was drawn on, and which of its rows differ from that.
    changed
        Rows put back or copied since :func:`drawn_rows` was last asked, or None.
    """

    __slots__ = ("array", "base", "below", "changed", "drawn")

    def __init__(self, array: np.ndarray, base: np.ndarray) -> None:
        self.array = array
        self.base = base
        self.drawn = bytearray(len(array))
        self.below: tuple[np.ndarray, bytearray] | None = None
        self.changed: Rows | None = (0, len(array))

    def touched(self) -> Rows | None:
        """Return the rows that may differ from ``base``, or None."""
        first = self.drawn.find(1)
        return None if first < 0 else (first, self.drawn.rfind(1) + 1)

    def put_back(self, base: np.ndarray) -> None:
        """Make the pixels equal to ``base`` again."""
        if base is not self.base and self.below is not None:
            either = int.from_bytes(self.drawn, "little") | int.from_bytes(self.below[1], "little")
            self.drawn[:] = either.to_bytes(len(self.drawn), "little")
            self.base, self.below = base, None
        self.changed = _around(self.changed, native.library.restore(self.array, base, self.drawn))


def pixels(camera: Camera) -> np.ndarray:
    """Return the camera's frame itself: to look at now, not to be kept or written to."""
    return cast("np.ndarray", vars(camera)["pixel_array"])


def drawn_rows(camera: Camera) -> Rows | None:
    """Return the rows that may have changed since this was last asked; None stands for all of them.

    An empty range says that the frame is the same.
    """
    frame = _of(camera, pixels(camera))
    if frame is None:
        return None
    changed = _around(frame.changed, frame.touched())
    frame.changed = None
    return changed or (0, 0)


def touched_rows(camera: Camera) -> Rows | None:
    """Return the rows that may differ from what the camera drew on; None stands for all of them.

    What changes from one frame to the next lies within these of both, if both were drawn on the same.
    """
    frame = _of(camera, pixels(camera))
    return None if frame is None else frame.touched() or (0, 0)


def around(a: Rows | None, b: Rows | None) -> Rows | None:
    """Return the rows around both, where None stands for all of them and an empty range for none."""
    if a is None or b is None:
        return None
    return _around(a if a[0] < a[1] else None, b if b[0] < b[1] else None) or (0, 0)


def marks(camera: Camera, array: np.ndarray) -> bytearray | None:
    """Return where to note the rows of ``array`` that are drawn on, or None if nobody wants to know."""
    frame = _of(camera, array)
    return None if frame is None else frame.drawn


def mark_all(camera: Camera) -> None:
    """Note that any row may have been drawn on."""
    frame = vars(camera).get(_STATE)
    if frame is not None:
        frame.drawn[:] = b"\1" * len(frame.drawn)


def _of(camera: Camera, array: np.ndarray) -> Frame | None:
    frame: Frame | None = vars(camera).get(_STATE)
    if frame is None or frame.array is not array or not is_private(array):
        return None
    return frame


def _around(a: Rows | None, b: Rows | None) -> Rows | None:
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), max(a[1], b[1])


class _Watched:
    """An attribute whose array is published when it is read or set from outside; inside, ``vars()`` has it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, _owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            value = vars(instance)[self._name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__!r} object has no attribute {self._name!r}") from None
        publish(value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        publish(value)
        vars(instance)[self._name] = value

    def __delete__(self, instance: Any) -> None:
        try:
            del vars(instance)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None


_original_init_background = Camera.init_background
_original_set_background = Camera.set_background
_original_set_pixel_array = Camera.set_pixel_array
_CLASSES = (Camera, MovingCamera, MultiCamera, ThreeDCamera)
_METHODS = (
    "capture_mobjects",
    "display_image_mobject",
    "display_multiple_background_colored_vmobjects",
    "display_multiple_image_mobjects",
    "display_multiple_non_background_colored_vmobjects",
    "display_multiple_point_cloud_mobjects",
    "display_multiple_vectorized_mobjects",
    "display_point_cloud",
    "get_cairo_context",
    "overlay_PIL_image",
    "overlay_rgba_array",
    "reset",
    "set_frame_to_background",
    "set_pixel_array",
    "type_or_raise",
)
"""Where Manim writes into frames. A camera with others writes we do not know where."""

_known: dict[str, set[Any]] = {}


def install() -> None:
    """Put the patches in place."""
    if native.library is None:
        return
    cast("Any", Camera).background = _Watched("background")
    cast("Any", CairoRenderer).static_image = _Watched("static_image")
    Camera.set_pixel_array = _set_pixel_array  # type: ignore[method-assign]
    Camera.reset = _reset  # type: ignore[method-assign, assignment]
    Camera.init_background = _init_background  # type: ignore[method-assign]
    Camera.set_background = _set_background  # type: ignore[method-assign]
    CairoRenderer.update_frame = _update_frame  # type: ignore[method-assign]
    CairoRenderer.get_frame = _get_frame  # type: ignore[method-assign]
    CairoRenderer.render = _render  # type: ignore[method-assign]
    CairoRenderer.save_static_frame_data = _save_static_frame_data  # type: ignore[method-assign]


def learn() -> None:
    """Take what Manim's cameras have now for Manim's own."""
    _known.update({name: {getattr(cls, name) for cls in _CLASSES} for name in _METHODS})


def is_known(camera: Camera) -> bool:
    """Return whether ``camera`` writes into frames by Manim's own methods."""
    cls = type(camera)
    return all(getattr(cls, name) in known for name, known in _known.items()) and _known.keys().isdisjoint(vars(camera))


def _set_pixel_array(self: Camera, pixel_array: Any, convert_from_floats: bool = False) -> None:
    array: Any = vars(self).get("pixel_array")
    ours = not convert_from_floats and array is not None and is_private(array) and is_private(pixel_array)
    if ours and is_known(self):
        frame: Frame | None = vars(self).get(_STATE)
        if frame is not None and frame.array is array and _leads_to(frame, pixel_array):
            frame.put_back(pixel_array)
            return
        if array.shape == pixel_array.shape:
            np.copyto(array, pixel_array)
            vars(self)[_STATE] = Frame(array, pixel_array)
            return
    vars(self).pop(_STATE, None)
    converted = self.convert_pixel_array(pixel_array) if convert_from_floats else np.asarray(pixel_array)
    if array is not None and array.shape == converted.shape:
        np.copyto(array, converted, casting="unsafe")
    else:
        vars(self)["pixel_array"] = array = converted.copy()
        keep(array)


def _leads_to(frame: Frame, base: np.ndarray) -> bool:
    return frame.base is base or (frame.below is not None and frame.below[0] is base)


def _reset(self: Camera) -> Camera:
    self.set_pixel_array(vars(self)["background"])
    return self


def _init_background(self: Camera) -> None:
    if self.background_image is None and self.n_channels == 4 and self.pixel_array_dtype == "uint8":
        # Whole pixels at once: channel by channel it takes as long as drawing a frame.
        colour = np.asarray(color_to_int_rgba(self.background_color, self.background_opacity)).astype(np.uint8)
        background = np.empty((self.pixel_height, self.pixel_width, 4), np.uint8)
        background.view(np.uint32)[...] = colour.view(np.uint32)
        self.background = background
    else:
        _original_init_background(self)
    keep(vars(self)["background"])


def _set_background(self: Camera, pixel_array: Any, convert_from_floats: bool = False) -> None:
    _original_set_background(self, pixel_array, convert_from_floats)
    if self.convert_pixel_array.__func__ is _convert_pixel_array:  # type: ignore[attr-defined]
        keep(vars(self)["background"])


_convert_pixel_array: Callable[..., Any] = Camera.convert_pixel_array


def _update_frame(
    self: CairoRenderer,
    scene: Scene,
    mobjects: Iterable[Mobject] | None = None,
    include_submobjects: bool = True,
    ignore_skipping: bool = True,
    **kwargs: Any,
) -> None:
    if self.skip_animations and not ignore_skipping:
        return
    if not mobjects:
        mobjects = list_update(scene.mobjects, scene.foreground_mobjects)
    static_image = vars(self).get("static_image")
    if static_image is not None:
        self.camera.set_frame_to_background(static_image)
    else:
        self.camera.reset()
    kwargs["include_submobjects"] = include_submobjects
    self.camera.capture_mobjects(mobjects, **kwargs)


def _get_frame(self: CairoRenderer) -> np.ndarray:
    if guard.stale:
        guard.read()
    return pixels(self.camera).copy()


def _render(
    self: CairoRenderer,
    scene: Scene,
    time: float,  # noqa: ARG001  part of the method that is replaced
    moving_mobjects: Iterable[Mobject] | None = None,
) -> None:
    self.update_frame(scene, moving_mobjects)
    takes_live = getattr(self.file_writer, "takes_live_frames", False)
    if takes_live and type(self).get_frame is _get_frame and "get_frame" not in vars(self):
        self.add_frame(pixels(self.camera))
    else:
        self.add_frame(self.get_frame())


def _save_static_frame_data(self: CairoRenderer, scene: Scene, static_mobjects: Iterable[Mobject]) -> Any:
    vars(self)["static_image"] = None
    if not static_mobjects:
        return None
    self.update_frame(scene, mobjects=static_mobjects)
    static_image = vars(self)["static_image"] = self.get_frame()
    if type(self).get_frame is _get_frame and "get_frame" not in vars(self):
        keep(static_image)
        frame = _of(self.camera, pixels(self.camera))
        if frame is not None and frame.below is None and is_private(frame.base):
            # The frame is equal to what was just copied out of it: from here on it is drawn on that.
            frame.changed = _around(frame.changed, frame.touched())
            frame.below = (frame.base, frame.drawn)
            frame.base, frame.drawn = static_image, bytearray(len(frame.drawn))
    return static_image
