"""What a render has drawn so far: plays, frames, sections; told live, and held to the limits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from manim.typing import RGBAPixelArray

from manimcast.engine.errors import OutputTooLarge
from manimcast.spec import Progress
from manimcast.wire import Limits, Logged, Message, Playing, Progressed

Pixels = RGBAPixelArray
"""One frame: height x width x 4, RGBA, top row first."""

INTERVAL = 0.04
"""Seconds between two progress messages within a play; its 0 and its 100 are always told."""

MAX_LOG_MESSAGES = 500


@dataclass
class SectionMark:
    """A section, and the number of frames that had been drawn when it began."""

    name: str
    type: str
    first_frame: int


class Tracker:
    """Count what is drawn and tell it.

    Parameters
    ----------
    send
        Takes each wire message as it happens.
    limits
        Bounds; :class:`OutputTooLarge` is raised where one is passed.
    frame_rate
        Frames per second of the video.
    observe
        Sees each frame that is handed to the encoder, and how often it is repeated. For tests and tools.
    """

    def __init__(
        self,
        send: Callable[[Message], None],
        limits: Limits,
        *,
        frame_rate: float,
        observe: Callable[[Pixels, int], None] | None = None,
    ) -> None:
        self._send = send
        self._limits = limits
        self._frame_rate = frame_rate
        self._observe = observe
        self.index = -1
        self.frames = 0
        self.sections: list[SectionMark] = []
        self.poster: Pixels | None = None
        self._poster_score = -1
        self._last: Pixels | None = None
        self._expected = 0
        self._drawn = 0
        self._told = -1
        self._told_at = 0.0

    def begin_play(self, kind: str, duration: float | None, *, drawn: bool) -> None:
        """A play begins. ``duration`` in seconds, where it is known; ``drawn`` is false when it is skipped."""
        self.index += 1
        if self.index >= self._limits.frames:
            raise OutputTooLarge(f"The scene plays more than {self._limits.frames} animations.")
        self._drawn = 0
        self._expected = round(duration * self._frame_rate) if duration is not None and drawn else 0
        self._send(Playing(index=self.index, kind=kind[:200], duration=duration))
        self._tell(0)
        if drawn and duration is not None:
            self._check_length(self._expected)

    def frame(self, pixels: Pixels, repeat: int) -> None:
        """``pixels`` go into the video ``repeat`` times."""
        self._check_length(repeat)
        if self._observe is not None:
            self._observe(pixels, repeat)
        self.frames += repeat
        self._drawn += repeat
        self._last = pixels
        if self._expected:
            percent = min(99, self._drawn * 100 // self._expected)
            if percent > self._told and time.monotonic() - self._told_at >= INTERVAL:
                self._tell(percent)

    def end_play(self) -> None:
        """The play is drawn."""
        self._tell(100)
        if self._last is not None:
            score = _detail(self._last)
            if score >= self._poster_score:
                self.poster, self._poster_score = self._last, score
            self._last = None

    def still(self, pixels: Pixels) -> None:
        """The result is one picture."""
        if self._observe is not None:
            self._observe(pixels, 1)

    def begin_section(self, name: str, type_: str) -> None:
        """A section begins. One that no frame was drawn in gives way to it."""
        if self.sections and self.sections[-1].first_frame == self.frames:
            self.sections.pop()
        self.sections.append(SectionMark(name, type_, self.frames))

    def _check_length(self, coming: int) -> None:
        total = self.frames + coming
        if total > self._limits.frames:
            raise OutputTooLarge(f"The video would have {total} frames; at most {self._limits.frames} are allowed.")
        if total > self._limits.duration * self._frame_rate + 1:
            raise OutputTooLarge(
                f"The video would be {total / self._frame_rate:.1f} seconds long; "
                f"at most {self._limits.duration:g} are allowed."
            )

    def _tell(self, percent: int) -> None:
        self._told, self._told_at = percent, time.monotonic()
        self._send(
            Progressed(
                progress=Progress(animation_index=self.index, animation_percent=percent, frames_done=self.frames)
            )
        )


def _detail(pixels: Pixels) -> int:
    """How much of a frame is not background, on every eighth pixel: the fullest frame makes the poster."""
    sample = pixels[::8, ::8]
    return int(np.count_nonzero((sample != sample[0, 0]).any(axis=2)))


class LogHandler(logging.Handler):
    """Warnings and errors of Manim, its libraries and the scene's own loggers, as messages of the render.

    Attributes
    ----------
    warnings
        Manim's own, for the report.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        super().__init__(logging.WARNING)
        self._send = send
        self._left = MAX_LOG_MESSAGES
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Send ``record``, unless there were too many already."""
        self._left -= 1
        if self._left < 0:
            return
        text = record.getMessage()[:8000]
        of_manim = record.name.partition(".")[0] == "manim"
        if of_manim and record.levelno == logging.WARNING and len(self.warnings) < 50:
            self.warnings.append(text[:500])
        levels: dict[int, Any] = {logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "error"}
        self._send(Logged(level=levels.get(record.levelno, "info"), text=text))
