"""Which class Manim's renderers write with."""

from __future__ import annotations

from manim.renderer.cairo_renderer import CairoRenderer
from manim.renderer.opengl_renderer import OpenGLRenderer
from manim.scene.scene_file_writer import SceneFileWriter

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.__init__",
        CairoRenderer.__init__,
        "a855b8bacca5619e6c6a4e5fa3ff71a40c35e753c19cb53ae46f48eb73a25dcb",
        "Scene makes its renderer itself and leaves the file writer's class to this default.",
    ),
    Patch(
        "manim.renderer.opengl_renderer.OpenGLRenderer.__init__",
        OpenGLRenderer.__init__,
        "ef8e3d02c5c112d9b75daa8f0e4902d1a67b06d0e72ac7c7d8c1e578fec4b239",
        "The same for OpenGL.",
    ),
)


def use_writer(writer: type[SceneFileWriter]) -> None:
    """Make ``writer`` the class that Manim's renderers write with, unless a scene names another itself."""
    for renderer in (CairoRenderer, OpenGLRenderer):
        defaults = renderer.__init__.__defaults__ or ()
        renderer.__init__.__defaults__ = (writer, *defaults[1:])
