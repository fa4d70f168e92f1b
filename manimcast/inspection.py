"""What a dry run tells: a scene's timeline, exactly as long as its video would be, without a frame drawn.

Models like those of :mod:`manimcast.spec`: bounded, and what a scene could have written is made harmless.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, FailFast, Field, StringConstraints

from manimcast.harmless import harmless
from manimcast.spec import MAX_COUNT, MAX_SIDE, Count, Name, SceneError, Seconds, Section, Short, Strict

MAX_PLAYS = 2000
"""Plays, sections and subcaptions of one scene that are listed; counts and durations cover all."""
MAX_LISTED = 1000
MAX_WARNINGS = 100
MAX_SCENES = 20
"""Scenes of one request that are run."""
MAX_NAMES = 200
"""Scenes of one request that are named."""


class Play(Strict):
    """One ``play`` or ``wait``.

    ``start`` and ``duration`` are seconds in the video, a whole number of frames. ``run_time`` is what the scene
    asked for, in seconds; null when only its end tells. A skipped play has no frames. ``line`` is the line of the
    posted code that plays it.
    """

    index: Count
    kind: Name
    start: Seconds
    duration: Seconds
    frames: Count
    run_time: Seconds | None = None
    skipped: bool = False
    line: int | None = Field(default=None, ge=1, le=MAX_COUNT)


class Subcaption(Strict):
    """A subcaption, with the seconds between which it is shown."""

    text: Short
    start: float = Field(ge=-MAX_COUNT, le=MAX_COUNT)
    end: float = Field(ge=-MAX_COUNT, le=MAX_COUNT)


class WarningCode(StrEnum):
    """What a dry run warns of."""

    missing_latex = "missing_latex"
    opengl = "opengl"
    off_screen = "off_screen"
    zero_size = "zero_size"
    short_play = "short_play"
    reads_pixels = "reads_pixels"
    truncated = "truncated"
    manim = "manim"


class SceneWarning(Strict):
    """Something that is probably not meant, in the shape of an error; the scene renders all the same."""

    type: Literal["scene_warning"] = "scene_warning"
    code: WarningCode
    message: Annotated[str, StringConstraints(max_length=1000), AfterValidator(harmless)]
    line: int | None = Field(default=None, ge=1, le=MAX_COUNT)
    animation_index: Count | None = None
    hint: Short | None = None


class Work(Strict):
    """What there is to draw.

    ``drawn`` counts the frames that are drawn one by one, without those that repeat the one before; ``curves`` is the
    number of Bezier curves in all drawn frames together, ``shaded`` how many of them are shaded by a light, and
    ``step_seconds`` how long stepping through the frames took.
    """

    drawn: Count = 0
    curves: int = Field(default=0, ge=0, le=10**15)
    shaded: int = Field(default=0, ge=0, le=10**15)
    step_seconds: Seconds = 0


class Measured(Strict):
    """The end of one scene's dry run, as its own process tells it. ``error`` says what ended it early."""

    frames: Count
    duration: Seconds
    animations: Count
    sounds: Count = 0
    work: Work = Work()
    error: SceneError | None = None


class Estimate(Strict):
    """How long a render would hold its machine, in seconds, and what that costs; ``basis`` says how it comes about."""

    seconds: Seconds
    usd_estimate: float = Field(ge=0)
    basis: str


class SceneInspection(Strict):
    """The dry run of one scene.

    Size in pixels, times in seconds. They are null, and the timeline ends early, where ``error`` says why; ``frames``,
    ``duration`` and ``animations`` then count what came before. ``estimate`` is null for a scene that fails.
    """

    scene: Name
    width: int | None = Field(default=None, ge=1, le=MAX_SIDE)
    height: int | None = Field(default=None, ge=1, le=MAX_SIDE)
    frame_rate: float | None = Field(default=None, gt=0, le=MAX_COUNT)
    frames: Count = 0
    duration: Seconds = 0
    animations: Count = 0
    plays: Annotated[tuple[Play, ...], FailFast()] = Field(default=(), max_length=MAX_PLAYS)
    sections: Annotated[tuple[Section, ...], FailFast()] = Field(default=(), max_length=MAX_LISTED)
    subcaptions: Annotated[tuple[Subcaption, ...], FailFast()] = Field(default=(), max_length=MAX_LISTED)
    sounds: Count = 0
    warnings: Annotated[tuple[SceneWarning, ...], FailFast()] = Field(default=(), max_length=MAX_WARNINGS)
    estimate: Estimate | None = None
    error: SceneError | None = None
    seconds: Seconds = 0


class Inspection(Strict):
    """A dry run of posted code.

    ``scenes`` names all scenes of the code, ``reports`` are of those that were run, in the same order. ``error`` is
    set when the code could not be loaded, or names no scene that is there; then there are no reports.
    """

    scenes: Annotated[tuple[Name, ...], FailFast()] = Field(default=(), max_length=MAX_NAMES)
    reports: Annotated[tuple[SceneInspection, ...], FailFast()] = Field(default=(), max_length=MAX_SCENES)
    error: SceneError | None = None

    @property
    def first_error(self) -> SceneError | None:
        """What went wrong first, if anything did."""
        return self.error or next((report.error for report in self.reports if report.error), None)
