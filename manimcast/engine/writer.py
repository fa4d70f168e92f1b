"""Manim's file writer, with ears: it tells the tracker of plays, frames and sections as they pass."""

from __future__ import annotations

from typing import Any

from manim.animation.animation import Wait
from manim.scene.scene import Scene
from manim.scene.scene_file_writer import SceneFileWriter

from manimcast.engine.track import Pixels, Tracker


class TrackedFileWriter(SceneFileWriter):
    """A :class:`SceneFileWriter` that reports to a :class:`Tracker`; what it writes is what Manim writes.

    One process renders one scene, so tracker and scene are set on the class that :func:`tracked_by` makes.
    """

    tracker: Tracker
    scene: Scene | None = None
    _announced = False

    def begin_animation(self, allow_write: bool = False, **kwargs: Any) -> None:
        """Announce the play. OpenGL begins before it has compiled its animations, so there it comes later."""
        super().begin_animation(allow_write, **kwargs)
        self._announced = False
        if self.scene is not None and not _is_opengl(self.scene):
            self._announce(drawn=allow_write)

    def write_frame(self, pixels: Pixels, *, repeat: int = 1) -> None:
        """Count the frame, then encode it."""
        if not self._announced:
            self._announce(drawn=True)
        self.tracker.frame(pixels, repeat)
        super().write_frame(pixels, repeat=repeat)

    def end_animation(self, allow_write: bool = False) -> None:
        """Note the end of the play."""
        super().end_animation(allow_write)
        if not self._announced:
            self._announce(drawn=False)
        self.tracker.end_play()

    def save_image(self, pixels: Pixels) -> None:
        """Note the picture that is the result of a still render."""
        self.tracker.still(pixels)
        super().save_image(pixels)

    def next_section(self, name: str, type_: str, skip_animations: bool) -> None:
        """Note where the section begins."""
        super().next_section(name, type_, skip_animations)
        self.tracker.begin_section(str(name)[:200], str(getattr(type_, "value", type_))[:200])

    def _announce(self, *, drawn: bool) -> None:
        self._announced = True
        animations = (self.scene.animations if self.scene else None) or []
        kind = ", ".join(type(animation).__name__.strip("_") for animation in animations) or "play"
        duration = float(self.scene.duration) if self.scene is not None else None
        if any(isinstance(animation, Wait) and animation.stop_condition is not None for animation in animations):
            duration = None
        self.tracker.begin_play(kind, duration, drawn=drawn)


def _is_opengl(scene: Scene) -> bool:
    return type(scene.renderer).__name__ == "OpenGLRenderer"


def tracked_by(tracker: Tracker) -> type[TrackedFileWriter]:
    """Return the writer class for one render."""
    return type("SceneFileWriter", (TrackedFileWriter,), {"tracker": tracker})
