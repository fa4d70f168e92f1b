"""Frames that a dry run need not step through: in a play whose every state depends on its time alone.

Such a play has no updater that runs, no stop condition and only animations that compute each state from both ends
(:mod:`manimcast.engine.parallel.purity`), so that the state at its last time is the same without the ones before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from manim.camera.camera import Camera
from manim.camera.moving_camera import MovingCamera
from manim.camera.three_d_camera import ThreeDCamera
from manim.scene.scene import Scene

from manimcast.engine.parallel.purity import STEPPED_BY, is_pure
from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.scene.scene.Scene.update_to_time",
        Scene.update_to_time,
        "c554748b52bb38f61efaa8b973568bcfc69069b8c51a065e8ce24745af118836",
        "It interpolates at every time of a play, also where nobody looks.",
    ),
)

_original_update_to_time = Scene.update_to_time
_ITS_PARTS = {name: vars(Scene)[name] for name in ("update_mobjects", "update_meshes", "update_self", "play_internal")}
_CAMERAS = (Camera, MovingCamera, ThreeDCamera)


def install(is_looked_at: Callable[[], bool]) -> None:
    """Step through a play's last frame only, and through those that ``is_looked_at``, where that comes to the same."""
    skips = False

    @functools.wraps(_original_update_to_time)
    def update_to_time(self: Scene, t: float) -> None:
        nonlocal skips
        if t == 0:  # a play begins, and its animations have begun
            skips = _may_skip(self)
        progression: Any = self.time_progression
        if not skips or t >= progression.iterable[-1] or is_looked_at():
            _original_update_to_time(self, t)

    Scene.update_to_time = update_to_time  # type: ignore[method-assign]
    STEPPED_BY["update_to_time"] = update_to_time  # it does nothing of its own to the scene


def _may_skip(scene: Scene) -> bool:
    own = any(name in vars(scene) or getattr(type(scene), name) is not part for name, part in _ITS_PARTS.items())
    return not own and type(scene.renderer.camera) in _CAMERAS and is_pure(scene)
