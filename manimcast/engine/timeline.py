"""The timeline of a scene that runs dry: its plays, sections and subcaptions, counted as a render counts them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from manim import Scene, config
from manim.animation.animation import Wait
from manim.scene.scene_file_writer import SceneFileWriter
from manim.typing import RGBAPixelArray

from manimcast.engine.length import check_length, check_plays
from manimcast.engine.source import FILE
from manimcast.inspection import MAX_LISTED, MAX_PLAYS, Play, Subcaption
from manimcast.spec import Section
from manimcast.wire import Limits

AUTOCREATED = "autocreated"
"""Manim's name of the section that every scene begins with."""


class Timeline:
    """What happens when, in frames.

    ``note`` takes each play when it has ended. ``look`` is called at the begin and the end of each play, and a few
    times in between.
    """

    def __init__(self, limits: Limits, note: Callable[[Play], None], look: Callable[[Scene, str], None]) -> None:
        self._limits = limits
        self._note = note
        self._look = look
        self.scene: Scene | None = None
        self.frame_rate: float = config.frame_rate
        self.index = -1
        self.frames = 0
        self.drawn = 0
        self.curves = 0
        self.shaded = 0
        self.sections: list[tuple[str, str, int]] = []
        self._first = 0
        self._drawn_before = 0
        self._curves = (0, 0)
        self._marks: list[int] = []
        self._play: dict[str, Any] = {}

    def begin_play(self, *, drawn: bool) -> None:
        """A play begins; ``drawn`` is false when it is skipped."""
        self.index += 1
        check_plays(self.index, self._limits)
        kind, run_time = played(self.scene)
        expected = round(run_time * self.frame_rate) if run_time is not None and drawn else 0
        if expected:
            check_length(self.frames, expected, self._limits, frame_rate=self.frame_rate)
        self._first, self._drawn_before = self.frames, self.drawn
        self._play = {"kind": kind[:200], "run_time": run_time, "skipped": not drawn, "line": line_at_work()}
        self._curves = (0, 0)
        quarters = (1, 2, 3) if expected > 4 else (0,)
        self._marks = [self.frames + expected * quarter // 4 for quarter in quarters]
        if self.scene is not None:
            self._look(self.scene, "begin")

    def frame(self, repeat: int) -> None:
        """A frame goes into the video ``repeat`` times."""
        check_length(self.frames, repeat, self._limits, frame_rate=self.frame_rate)
        if self.scene is not None and self.is_looked_at():
            self._marks.pop(0)
            self._curves = max(self._curves, curves_of(self.scene))
            self._look(self.scene, "between")
        self.frames += repeat
        self.drawn += 1

    def is_looked_at(self) -> bool:
        """Whether the next frame is one of those that are looked at."""
        return bool(self._marks) and self.frames >= self._marks[0]

    def end_play(self) -> None:
        """The play has ended."""
        drawn = self.drawn - self._drawn_before
        self.curves += self._curves[0] * drawn
        self.shaded += self._curves[1] * drawn
        if self.scene is not None:
            self._look(self.scene, "end")
        if self.index >= MAX_PLAYS:
            return
        count = self.frames - self._first
        self._note(
            Play(
                index=self.index,
                start=self._first / self.frame_rate,
                duration=count / self.frame_rate,
                frames=count,
                **self._play,
            )
        )

    def begin_section(self, name: str, type_: str) -> None:
        """A section begins. One that no frame was drawn in gives way to it."""
        if self.sections and self.sections[-1][2] == self.frames:
            self.sections.pop()
        self.sections.append((name, type_, self.frames))

    def told_sections(self) -> list[Section]:
        """Return the sections with their times; a scene that never begins one has none."""
        marks = [mark for mark in self.sections if mark[2] < self.frames]
        if len(marks) <= 1 and all(name == AUTOCREATED for name, _, _ in marks):
            return []
        ends = [first for _, _, first in marks[1:]] + [self.frames]
        rate = self.frame_rate
        return [
            Section(name=name, type=type_, start=first / rate, duration=(end - first) / rate)
            for (name, type_, first), end in itertools.islice(zip(marks, ends, strict=True), MAX_LISTED)
        ]


class UndrawnWriter(SceneFileWriter):
    """A :class:`SceneFileWriter` that writes nothing: it tells a :class:`Timeline`, and reads the sounds.

    One process runs one scene, so the timeline is set on the class that :func:`told_to` makes.
    """

    timeline: Timeline
    sounds = 0
    has_video = False
    _announced = False

    def begin_animation(self, allow_write: bool = False, **_: Any) -> None:
        """Announce the play. OpenGL begins before it has compiled its animations, so there it comes later."""
        self._announced = False
        scene = self.timeline.scene
        if scene is not None and type(scene.renderer).__name__ != "OpenGLRenderer":
            self._announce(drawn=allow_write)

    def write_frame(self, pixels: RGBAPixelArray, *, repeat: int = 1) -> None:  # noqa: ARG002  upstream's signature
        """Count the frame."""
        if not self._announced:
            self._announce(drawn=True)
        self.timeline.frame(repeat)

    def end_animation(self, allow_write: bool = False) -> None:  # noqa: ARG002
        """Note the end of the play."""
        if not self._announced:
            self._announce(drawn=False)
        self.timeline.end_play()

    def next_section(self, name: str, type_: str, skip_animations: bool) -> None:
        """Note where the section begins."""
        super().next_section(name, type_, skip_animations)
        self.timeline.begin_section(str(name)[:200], str(getattr(type_, "value", type_))[:200])

    def add_sound(self, *args: Any, **kwargs: Any) -> None:
        """Read the sound, which may fail, and count it."""
        super().add_sound(*args, **kwargs)
        self.sounds += 1

    def save_image(self, pixels: RGBAPixelArray) -> None:  # noqa: ARG002
        """Note that there would be a picture."""
        self.has_video = True

    def finish(self) -> None:
        """Note whether there would be a video."""
        self.has_video = any(path is not None for path in self.partial_movie_files)

    def told_subcaptions(self) -> list[Subcaption]:
        """Return the subcaptions in the order of their numbers."""
        return [
            Subcaption(text=str(one.content)[:500], start=one.start.total_seconds(), end=one.end.total_seconds())
            for one in self.subcaptions[:MAX_LISTED]
        ]

    def _announce(self, *, drawn: bool) -> None:
        self._announced = True
        self.timeline.begin_play(drawn=drawn)


def told_to(timeline: Timeline) -> type[UndrawnWriter]:
    """Return the writer class for one dry run."""
    return type("SceneFileWriter", (UndrawnWriter,), {"timeline": timeline})


def played(scene: Scene | None) -> tuple[str, float | None]:
    """Return what kind of play has begun, and its run time in seconds; None when only its end tells."""
    animations = (scene.animations if scene else None) or []
    kind = ", ".join(type(animation).__name__.strip("_") for animation in animations) or "play"
    if any(isinstance(animation, Wait) and animation.stop_condition is not None for animation in animations):
        return kind, None
    return kind, float(scene.duration) if scene is not None else None


def line_at_work() -> int | None:
    """Return the line of the posted code that is being run, the innermost one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != FILE:
        frame = frame.f_back
    return frame.f_lineno if frame else None


def curves_of(scene: Scene) -> tuple[int, int]:
    """Return how many Bezier curves are drawn in a frame of the present play, and how many of them are shaded."""
    every = shaded = 0
    for mobject in scene.moving_mobjects or scene.mobjects:
        curves = len(getattr(mobject, "points", ())) // 4
        every += curves
        shaded += curves if getattr(mobject, "shade_in_3d", False) else 0
    return every, shaded
