"""A renderer that draws nothing, for dry runs: everything happens as in a render, but no pixel is computed.

Installed only in a process that runs a scene dry. What drawing leaves behind on cameras, where later code could read
it, is done all the same. When the scene wants to read a frame, whoever installed this is told, and draws after all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np
from manim.camera.camera import Camera
from manim.camera.multi_camera import MultiCamera
from manim.camera.three_d_camera import ThreeDCamera
from manim.renderer.cairo_renderer import CairoRenderer
from manim.renderer.opengl_renderer import OpenGLRenderer
from manim.scene.scene import Scene
from manim.typing import RGBAPixelArray

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.update_frame",
        CairoRenderer.update_frame,
        "8f79c10a482647be4d6e309d589e322b2d12fed06e1aee8350805fe30affebf9",
        "Draws a frame.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.get_frame",
        CairoRenderer.get_frame,
        "9d5ffa0b9ee9bdb1b6f0250e298cd1d88d3543153052b37f697f56172584f8ca",
        "Copies the frame that was not drawn; asked for by anybody but the renderer, it has to be drawn.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.render",
        CairoRenderer.render,
        "924e3bd668b26dc0fa7858fe665063b8a6a36284c555fbf6867ece61d1c08d74",
        "It hands on the frame that was not drawn.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.save_static_frame_data",
        CairoRenderer.save_static_frame_data,
        "bd2d2188c2085080b02af4c26103364227b4ebfd9bdb439b9c7f64ec09e5cc30",
        "It keeps the frame that was not drawn.",
    ),
    Patch(
        "manim.renderer.opengl_renderer.OpenGLRenderer.update_frame",
        OpenGLRenderer.update_frame,
        "68a5821c8568a66d92b57f961adca52d241d79451f7ed44749eb18d73005aa76",
        "Draws a frame.",
    ),
    Patch(
        "manim.renderer.opengl_renderer.OpenGLRenderer.get_frame",
        OpenGLRenderer.get_frame,
        "d56690b47498c7e14c0bdbe81c7d74c839da26e37454d07ce06e7d017009d8fe",
        "The same as Cairo's.",
    ),
    Patch(
        "manim.renderer.opengl_renderer.OpenGLRenderer.get_raw_frame_buffer_object_data",
        OpenGLRenderer.get_raw_frame_buffer_object_data,
        "066e1a2156a9a965d5927304aa14be0a6f39aa8357332a3081158eaff95d5288",
        "Where a scene can read the pixels.",
    ),
    Patch(
        "manim.camera.camera.Camera.set_pixel_array",
        Camera.set_pixel_array,
        "5bcba816d6abd92b25f67b95b057142bf794a2f3a2f57d371d376dbe5c2f71ce",
        "Not replaced: it and update_sub_cameras may read the pixel array's shape, which is right.",
    ),
    Patch(
        "manim.camera.three_d_camera.ThreeDCamera.capture_mobjects",
        ThreeDCamera.capture_mobjects,
        "2c401879a6b7e2cab7375af5c0426ba4499ec00e54b87dff3d53f836cd20aa79",
        "Its rotation matrix is a side effect of drawing.",
    ),
    Patch(
        "manim.camera.multi_camera.MultiCamera.capture_mobjects",
        MultiCamera.capture_mobjects,
        "cc08313d0a8293bd13afd7eeaa1ce16e4f417dbeacd7dd3a9017d7132f81957c",
        "The shapes of its sub-cameras' frames are a side effect of drawing.",
    ),
)

BLANK: RGBAPixelArray = np.zeros((1, 1, 4), dtype=np.uint8)
"""What stands for every frame."""

_RENDERERS = frozenset({"manim.renderer.cairo_renderer", "manim.renderer.opengl_renderer"})
_READS_SHAPE = frozenset({"set_pixel_array", "update_sub_cameras"})
_DRAWING = ("capture_mobject", "capture_mobjects", "get_mobjects_to_display", "reset", "set_frame_to_background")

ReadsPixels = Callable[[], NoReturn]
"""Called when the scene cannot go on without pixels; ends the process, or the run."""


def install(reads_pixels: ReadsPixels) -> None:
    """Draw nothing from now on in this process, and call ``reads_pixels`` when that cannot be."""

    def get_frame(self: CairoRenderer | OpenGLRenderer) -> RGBAPixelArray:  # noqa: ARG001
        if sys._getframe(1).f_globals.get("__name__") not in _RENDERERS:
            reads_pixels()
        return BLANK

    def update_frame(
        self: CairoRenderer,
        scene: Scene,  # noqa: ARG001  upstream's signature
        mobjects: Iterable[Any] | None = None,  # noqa: ARG001
        include_submobjects: bool = True,  # noqa: ARG001
        ignore_skipping: bool = True,
        **_: Any,
    ) -> None:
        if self.skip_animations and not ignore_skipping:
            return
        camera = self.camera
        if _draws_by_itself(type(camera)):
            reads_pixels()
        if isinstance(camera, ThreeDCamera):
            camera.reset_rotation_matrix()
        if isinstance(camera, MultiCamera):
            camera.update_sub_cameras()
            for display in camera.image_mobjects_from_cameras:
                display.get_pixel_array()

    def render(
        self: CairoRenderer,
        scene: Scene,
        time: float,  # noqa: ARG001
        moving_mobjects: Iterable[Any] | None = None,
    ) -> None:
        self.update_frame(scene, moving_mobjects)
        self.add_frame(BLANK)

    def save_static_frame_data(self: CairoRenderer, scene: Scene, static_mobjects: Iterable[Any]) -> None:
        self.static_image = None
        if static_mobjects:
            self.update_frame(scene, mobjects=static_mobjects)

    CairoRenderer.render = render  # type: ignore[method-assign]
    CairoRenderer.save_static_frame_data = save_static_frame_data  # type: ignore[method-assign]
    CairoRenderer.update_frame = update_frame  # type: ignore[method-assign]
    CairoRenderer.get_frame = get_frame  # type: ignore[method-assign]
    OpenGLRenderer.update_frame = lambda *_, **__: None  # type: ignore[method-assign]
    OpenGLRenderer.get_frame = get_frame  # type: ignore[method-assign]
    OpenGLRenderer.get_raw_frame_buffer_object_data = lambda *_, **__: reads_pixels()  # type: ignore[method-assign]


def watch(scene: Scene, reads_pixels: ReadsPixels) -> None:
    """Call ``reads_pixels`` when ``scene`` reads what its camera holds; other cameras of it draw as ever."""
    before: Any = vars(Camera).get("pixel_array")  # the engine's own watch over who has pixels in hands

    def read(camera: Camera) -> Any:
        if camera is getattr(scene.renderer, "camera", None):
            caller = sys._getframe(1)
            if caller.f_code.co_name not in _READS_SHAPE:
                reads_pixels()
        return before.__get__(camera, type(camera))

    def write(camera: Camera, pixels: Any) -> None:
        before.__set__(camera, pixels)

    Camera.pixel_array = property(read, write)  # type: ignore[assignment]


_own_drawing: dict[type, bool] = {}


def _draws_by_itself(camera: type) -> bool:
    """Whether a camera's class changes how Manim draws, so that nobody knows what drawing leaves behind."""
    if camera not in _own_drawing:
        own = [cls for cls in camera.__mro__ if not cls.__module__.startswith("manim.")]
        _own_drawing[camera] = any(name in vars(cls) for cls in own for name in _DRAWING if cls is not object)
    return _own_drawing[camera]
