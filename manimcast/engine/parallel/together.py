"""Has other processes draw a part of a play: one, or several that share its frames where drawing is most of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manimcast.engine.clock import Clock
from manimcast.engine.convert import native_rounding
from manimcast.engine.native import library
from manimcast.engine.parallel import files
from manimcast.engine.parallel.crew import Crew
from manimcast.engine.parallel.drawers import Drawers, Tell
from manimcast.engine.parallel.findings import Findings, together
from manimcast.engine.parallel.frames import Play
from manimcast.engine.parallel.pixels import guard
from manimcast.engine.parallel.steps import Steps, help_out, lead
from manimcast.engine.segment import SegmentEncoder
from manimcast.engine.track import Pixels

Report = dict[str, Any]
FEWEST_LEFT = 3
"""Frames that nobody has taken, from which on another process may be of help."""


class Together:
    """The frames of ``play`` from ``first`` up to before ``last``, to be encoded into ``target``.

    With ``states`` every frame can be reached at once, and the states at both ends are noted. ``has_background`` tells
    that what does not move in the play has been drawn. ``findings`` are what each process begins with.
    """

    def __init__(
        self, play: Play, first: int, last: int, target: Path, findings: Findings, *, states: bool, has_background: bool
    ) -> None:
        self._play, self._first, self._last, self._target = play, first, last, target
        self._findings, self._states, self._has_background = findings, states, has_background

    def start(self, drawers: Drawers, most: int, told: Callable[[int], None], done: Callable[[Report], None]) -> int:
        """Begin, with at most so many processes, as soon as there is room for them; returns how many there are.

        ``told`` is called with numbers of frames as they are drawn, ``done`` with the report of all, at the end.

        Raises :class:`~.drawers.DrawerFailedError` when another drawer has failed, and :class:`OSError` when the system
        refuses the first process.
        """
        crew = self._crew(most - 1) if most > 1 else None
        if crew is None:
            drawers.start(self._draw, told, done)
            return 1
        reports = _Gathering(done)
        processes = 0
        try:
            drawers.start(lambda tell: self._lead(crew, tell), told, reports.expected())
            processes += 1
            for helper in range(most - 1):
                drawers.wait_for_room()
                if crew.left < FEWEST_LEFT:
                    break
                drawers.start(lambda tell, helper=helper: self._help(crew, helper, tell), told, reports.expected())  # type: ignore[misc]
                processes += 1
        except OSError:
            if not processes:
                raise
            # Then those who are there draw it.
        finally:
            crew.close()
        reports.close()
        return processes

    def _crew(self, helpers: int) -> Crew | None:
        """Return what a crew shares; None where the part cannot be shared."""
        play, spec = self._play, self._play.encoding
        if library is None or play.held or play.scene.stop_condition is not None:
            return None
        if native_rounding(spec.pixel_format, spec.width, spec.height) is None:
            return None
        if play.pixels().shape != (spec.height, spec.width, 4):
            return None
        try:
            return Crew(self._first, self._last, helpers, library, spec, directory=self._target.parent)
        except OSError:
            return None

    def _draw(self, tell: Tell) -> Report:
        """Draw and encode all of it: what the only process does."""
        self._begin()
        number = self._first

        def seen(pixels: Pixels, repeat: int) -> None:
            nonlocal number
            self._see(number, pixels, repeat, tell)
            number += 1

        encoding = Clock()
        encoder = SegmentEncoder(self._target, self._play.encoding, clock=encoding)
        drawn = self._play.draw(encoder, self._first, self._last, seen)
        encoder.finish()
        if self._is_end or self._play.stopped:
            self._findings.consider_poster()
        return self._report(drawn.stepping, encoding.seconds)

    def _lead(self, crew: Crew, tell: Tell) -> Report:
        if library is None:
            raise RuntimeError("a part is shared only where there is a native part")
        encoding = Clock()
        encoder = SegmentEncoder(self._target, self._play.encoding, clock=encoding)
        steps = self._steps(tell)
        lead(steps, crew, encoder, library)
        encoder.finish()
        return self._report(steps.stepping, encoding.seconds)

    def _help(self, crew: Crew, helper: int, tell: Tell) -> Report:
        spec = self._play.encoding
        rounding = native_rounding(spec.pixel_format, spec.width, spec.height)
        if rounding is None:
            raise RuntimeError("a part is shared only where frames are converted natively")
        steps = self._steps(tell)
        help_out(steps, crew, helper, rounding)
        return self._report(steps.stepping, 0.0)

    def _steps(self, tell: Tell) -> Steps:
        self._begin()

        def seen(number: int, pixels: Pixels) -> None:
            self._see(number, pixels, 1, tell)
            if number == self._play.frames - 1:
                self._findings.consider_poster()

        return Steps(self._play, self._first, jumps=self._states, seen=seen)

    def _begin(self) -> None:
        guard.on_read, guard.stale = None, False
        files.keep_apart()
        if not self._has_background:
            self._play.draw_background()

    def _see(self, number: int, pixels: Pixels, repeat: int, tell: Tell) -> None:
        if self._states and number == self._first:
            self._findings.note_state(number)
        self._findings.see(number, pixels, repeat)
        tell(repeat)

    def _report(self, stepping: float, encoding: float) -> Report:
        # A forked process begins with none, and has no threads but the encoder's.
        drawing = time.thread_time() - stepping - encoding
        encoding += time.process_time() - time.thread_time()
        if self._states:
            times = self._play.times
            self._play.scene.update_to_time(times[min(self._last, len(times) - 1)])
            self._findings.note_state(self._last)
        return self._findings.report(stepping, drawing, encoding)

    @property
    def _is_end(self) -> bool:
        return self._last >= self._play.frames or bool(self._play.held)


class _Gathering:
    """The reports of those who draw one part; ``done`` is called with all of them once the last one is in."""

    def __init__(self, done: Callable[[Report], None]) -> None:
        self._done = done
        self._reports: list[Report] = []
        self._awaited = 1

    def expected(self) -> Callable[[Report], None]:
        """Expect another; returns what takes it."""
        self._awaited += 1
        return self._add

    def close(self) -> None:
        """Expect no more."""
        self._awaited -= 1
        if not self._awaited:
            self._done(together(self._reports))

    def _add(self, report: Report) -> None:
        self._reports.append(report)
        self.close()
