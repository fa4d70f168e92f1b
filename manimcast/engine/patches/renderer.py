"""Who plays: Manim's renderer hands a play to the engine's director, where the way to do it is Manim's own."""

from __future__ import annotations

import functools
from typing import Any, Protocol

from manim.renderer.cairo_renderer import CairoRenderer
from manim.scene.moving_camera_scene import MovingCameraScene
from manim.scene.scene import Scene
from manim.scene.three_d_scene import ThreeDScene
from manim.scene.zoomed_scene import ZoomedScene
from tqdm import tqdm

from manimcast.engine.patches.patch import Patch
from manimcast.engine.writer import TrackedFileWriter

PATCHES = (
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.play",
        CairoRenderer.play,
        "5affbe0f311d60998ea09f67f9bf8c9b5355c04df1aff90808c3be85ea64e4a8",
        "The same steps, but frames are drawn by several processes and encoded without copies and queues.",
    ),
    Patch(
        "manim.scene.scene.Scene.play_internal",
        Scene.play_internal,
        "c83eff575fd7732171dbc37a99b443b03f577361efe2f528375da418783639c5",
        "Not replaced: what the director does in its place, as long as it is Manim's.",
    ),
    Patch(
        "manim.scene.scene.Scene.update_to_time",
        Scene.update_to_time,
        "c554748b52bb38f61efaa8b973568bcfc69069b8c51a065e8ce24745af118836",
        "Not replaced: that each animation is interpolated at the time over its run time lets plays be stepped over.",
    ),
    Patch(
        "manim.scene.scene.Scene.begin_animations",
        Scene.begin_animations,
        "5560d14ab0eb5995f38ae6017bd5feb352804e8f406bef33b6e6083f9261a6ba",
        "Not replaced: what moves and what does not is decided there, once in a play.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.save_static_frame_data",
        CairoRenderer.save_static_frame_data,
        "bd2d2188c2085080b02af4c26103364227b4ebfd9bdb439b9c7f64ec09e5cc30",
        "Not replaced: what does not move is drawn once in a play.",
    ),
    Patch(
        "manim.renderer.cairo_renderer.CairoRenderer.freeze_current_frame",
        CairoRenderer.freeze_current_frame,
        "a95825fff9f7570d42e4f4f6fe01b759ac3131586ae9e55b32cb01779143bf06",
        "The director counts the frames of a frozen wait as it does.",
    ),
)

_original_play = CairoRenderer.play

OF_RENDERER = ("render", "update_frame", "get_frame", "add_frame", "freeze_current_frame", "save_static_frame_data")
OF_SCENE = (
    "play_internal",
    "begin_animations",
    "is_current_animation_frozen_frame",
    "get_time_progression",
    "_get_animation_time_progression",
    "get_moving_and_static_mobjects",
)
SCENES = (Scene, MovingCameraScene, ThreeDScene, ZoomedScene)
_known: dict[str, set[Any]] = {}


class Director(Protocol):
    """Plays in the place of Manim's renderer."""

    def play(self, renderer: CairoRenderer, scene: Scene, *args: Any, **kwargs: Any) -> None:
        """Play, as :meth:`CairoRenderer.play` does."""

    def stand_back(self, reason: str) -> None:
        """Leave this play, and all that follow, to Manim's renderer."""


_director: Director | None = None


def install() -> None:
    """Put the patch in place."""
    tqdm.monitor_interval = 0  # else each progress bar, shown or not, has a thread that forked processes lack
    CairoRenderer.play = _play  # type: ignore[method-assign]


def learn() -> None:
    """Take what Manim's renderer and scenes have now for Manim's own."""
    _known.update({name: {getattr(CairoRenderer, name)} for name in OF_RENDERER})
    _known.update({name: {getattr(kind, name) for kind in SCENES} for name in OF_SCENE})


def use_director(director: Director | None) -> None:
    """Have ``director`` play, in this process."""
    global _director  # noqa: PLW0603  set once in the child that renders
    _director = director


@functools.wraps(_original_play)
def _play(self: CairoRenderer, scene: Scene, *args: Any, **kwargs: Any) -> None:
    if _director is None:
        _original_play(self, scene, *args, **kwargs)
        return
    other = _not_manims(self, scene)
    if other is None:
        _director.play(self, scene, *args, **kwargs)
    else:
        _director.stand_back(f"the scene has a way of its own to {other}")
        _original_play(self, scene, *args, **kwargs)


def _not_manims(renderer: CairoRenderer, scene: Scene) -> str | None:
    """Return the name of what is not Manim's own in how ``renderer`` plays ``scene``."""
    for names, thing in ((OF_RENDERER, renderer), (OF_SCENE, scene)):
        for name in names:
            if name in vars(thing) or getattr(type(thing), name) not in _known[name]:
                return name
    return None if isinstance(renderer.file_writer, TrackedFileWriter) else "write"
