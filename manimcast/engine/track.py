"""What a render has drawn so far: plays, frames, sections; told live, and held to the limits."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from manimcast.engine.length import check_length, check_plays
from manimcast.spec import Progress
from manimcast.wire import Limits, Logged, Message, Played, Playing, Progressed

Pixels = npt.NDArray[np.uint8]
"""One frame: height x width x 4, RGBA, top row first."""

Told = tuple[int, int, int]
"""The play that was told of last, its percentage, and the number of frames that were done."""

INTERVAL = 0.04
"""Seconds between two progress messages within a play. Its 0 and its 100 are always told, and the first frames too."""

MAX_LOG_MESSAGES = 500


@dataclass
class SectionMark:
    """A section, and the number of frames that come before it."""

    name: str
    type: str
    first_frame: int


@dataclass
class _Play:
    """A play that has not ended, or waits for an earlier one to end.

    ``expected`` frames are what its duration promises, 0 when that is unknown or nothing is drawn of it; ``planned``
    is what is known to be drawn, ``drawn`` what is done.
    """

    index: int
    kind: str
    duration: float | None
    expected: int
    planned: int = 0
    drawn: int = 0
    over: bool = False


class Tracker:
    """Count what is drawn and tell it, play by play, although several plays may be drawn at once.

    A play is told of when all before it are drawn; what is drawn of later ones counts at once in ``frames_done``.

    Parameters
    ----------
    send
        Takes each wire message as it happens.
    limits
        Bounds; :class:`OutputTooLarge` is raised where one is passed.
    frame_rate
        Frames per second of the video.

    Attributes
    ----------
    index
        The last play that was begun, from 0.
    frames
        How many frames the video has so far, those included that are yet to be drawn.
    """

    def __init__(self, send: Callable[[Message], None], limits: Limits, *, frame_rate: float) -> None:
        self._send = send
        self._limits = limits
        self._frame_rate = frame_rate
        self.index = -1
        self.frames = 0
        self.sections: list[SectionMark] = []
        self._plays: deque[_Play] = deque()
        self._announced = -1
        self._done = 0
        self._told = -1
        self._told_at = 0.0
        self._has_begun = False
        self._told_before: Told = (-1, -1, 0)

    def begin_play(self, kind: str, duration: float | None, *, drawn: bool) -> int:
        """A play begins, ``duration`` seconds long if that is known; ``drawn`` is false when it is skipped.

        Returns its index.
        """
        self.index += 1
        check_plays(self.index, self._limits)
        expected = round(duration * self._frame_rate) if duration is not None and drawn else 0
        self._plays.append(_Play(self.index, kind[:200], duration, expected))
        self._tell()
        if drawn and duration is not None:
            self._check_length(expected)
        return self.index

    def plan(self, frames: int) -> None:
        """Another ``frames`` of the play that was begun last will be drawn."""
        self._check_length(frames)
        self.frames += frames
        self._plays[-1].planned += frames

    def drawn(self, index: int, frames: int) -> None:
        """Another ``frames`` of play ``index`` are drawn."""
        self._done += frames
        for play in self._plays:
            if play.index == index:
                play.drawn += frames
        self._tell()

    def end_play(self) -> None:
        """No more frames are planned for the play that was begun last."""
        self._plays[-1].over = True
        self._tell()

    def begin_section(self, name: str, type_: str) -> None:
        """A section begins. One that no frame was drawn in gives way to it."""
        if self.sections and self.sections[-1].first_frame == self.frames:
            self.sections.pop()
        self.sections.append(SectionMark(name, type_, self.frames))

    def told(self) -> Told:
        """Return what was said last, for :meth:`resume` in another process."""
        return self._announced, self._told, self._done

    def resume(self, told: Told) -> None:
        """Say nothing that another process has said already: it came as far as ``told``."""
        self._told_before = told

    def _check_length(self, coming: int) -> None:
        check_length(self.frames, coming, self._limits, frame_rate=self._frame_rate)

    def _tell(self) -> None:
        """Say how far the first play is that is not all drawn; of those before it, that they are."""
        while self._plays:
            play = self._plays[0]
            if play.index > self._announced:
                self._announced, self._told = play.index, -1
                if play.index > self._told_before[0]:
                    self._send(Playing(index=play.index, kind=play.kind, duration=play.duration))
                self._say(0)
            if play.over and play.drawn >= play.planned:
                self._say(100)
                self._say_played(self._plays.popleft())
                continue
            if play.expected:
                percent = min(99, play.drawn * 100 // play.expected)
                is_due = not self._has_begun or time.monotonic() - self._told_at >= INTERVAL
                if percent > self._told and is_due:
                    self._has_begun = True
                    self._say(percent)
            return

    def _say(self, percent: int) -> None:
        self._told, self._told_at = percent, time.monotonic()
        if (self._announced, percent) <= self._told_before[:2]:
            return
        done = max(self._done, self._told_before[2])
        self._send(
            Progressed(progress=Progress(animation_index=self._announced, animation_percent=percent, frames_done=done))
        )

    def _say_played(self, play: _Play) -> None:
        if (play.index, 100) > self._told_before[:2]:
            seconds = play.drawn / self._frame_rate
            self._send(Played(index=play.index, kind=play.kind, frames=play.drawn, duration=seconds))


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
