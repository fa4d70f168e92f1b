"""Parts of a play, drawn in this process or by another, and what comes back of it: segments, in order, and reports."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from manimcast.engine.behind import Lanes
from manimcast.engine.parallel.costs import Costs
from manimcast.engine.parallel.drawers import DrawerFailedError, Drawers
from manimcast.engine.parallel.findings import Findings
from manimcast.engine.parallel.frames import Play
from manimcast.engine.parallel.observer import Observer
from manimcast.engine.parallel.pixels import guard
from manimcast.engine.parallel.purity import state_of
from manimcast.engine.parallel.switches import Switches
from manimcast.engine.parallel.together import Together
from manimcast.engine.parallel.way_back import WayBack
from manimcast.engine.parallel.work import Ledger, Spent
from manimcast.engine.poster import Poster
from manimcast.engine.reuse import Notes, Reuse, Shown, key_of
from manimcast.engine.segment import SegmentEncoder
from manimcast.engine.track import Pixels, Tracker
from manimcast.spec import DrawingWork, SegmentWay

LISTEN_SECONDS = 0.02
OFFER_SECONDS = 0.25
"""How often plays that are drawn are offered to be kept, in case the render does not come to its end."""
CREW = 3
"""How many draw a part together where that is tried though it may not pay."""
PARTING_SECONDS = 0.5
"""How long a scene that has failed waits for what others draw already, to keep it."""


@dataclass
class _Part:
    """A part of a play, where it is drawn to, what that took, and what it shows, once that is known.

    ``whole`` tells that all of it is drawn and its file closed.
    """

    play: Play
    target: Path
    spent: Spent
    shown: list[Shown] | None = None
    whole: bool = False

    def close(self) -> None:
        """Take note that all of it is in its file."""
        self.whole = True


class Parts:
    """Draws parts, each into a segment of its own.

    Parameters
    ----------
    tracker, poster, costs, observe
        Told of what is drawn, by whomever.
    drawers
        The other processes.
    way_back
        Taken when one of them fails, or when the states that they begin and end with do not fit.
    behind
        Encode what is drawn here, where there is a second processor.
    switches
        What may be done.
    directory
        For files on their way from them to here.
    reuse
        Where plays are kept, if they are.

    Attributes
    ----------
    segments, forked
        How many parts there are, and how many of them others draw.
    """

    def __init__(
        self,
        tracker: Tracker,
        poster: Poster,
        costs: Costs,
        drawers: Drawers,
        way_back: WayBack,
        *,
        directory: Path,
        observe: Observer | None,
        behind: Lanes | None,
        switches: Switches,
        reuse: Reuse | None = None,
    ) -> None:
        self._switches = switches
        self._behind = behind
        self._tracker = tracker
        self._poster = poster
        self._costs = costs
        self._drawers = drawers
        self._way_back = way_back
        self._directory = directory
        self._observe = observe
        self._reuse = reuse
        self._drawn: dict[int, list[_Part]] = {}
        self._over: dict[int, list[_Part]] = {}
        self._offered_at = time.monotonic()
        self._ledger = Ledger()
        self._seen: list[Any] = []
        self._states: dict[tuple[int, int], str] = {}
        self._listened_at = 0.0
        self.segments = 0
        self.forked = 0

    def draw_here(self, play: Play, first: int, last: int, *, background: bool = True) -> None:
        """Draw the frames from ``first`` up to before ``last`` in this process, and what does not move before that."""
        if background:
            play.draw_background()
        part = self._add_part(play, first, SegmentWay.alone if self._behind is None else SegmentWay.behind)
        spent, began = part.spent, self._ledger.now()
        # Processes that draw have encoders, too: there is no room for two here beside those.
        lane = self._behind.free(alone=not self._drawers.idle) if self._behind is not None else None
        encoder = SegmentEncoder(part.target, play.encoding, lane, spent.encoding)
        notes = Notes(None if play.key else play.watch)
        unchecked = play.is_foreseen and first == 0

        def seen(pixels: Pixels, repeat: int) -> None:
            nonlocal unchecked
            if unchecked:
                self.note_state(play, 0, state_of(play.scene))
                unchecked = False
            self._tracker.plan(repeat)
            if self._observe is not None:
                self._observe.frame(pixels, repeat)
            notes.note(repeat)
            self._tracker.drawn(play.index, repeat)
            self.listen_now_and_then()

        try:
            drawn = play.draw(encoder, first, last, seen)
            encoder.finish()
        except BaseException:
            with suppress(RuntimeError):  # what went wrong first is told
                encoder.abort()
            raise
        part.shown = notes.frames
        if lane is None:
            part.close()
        else:
            lane.put(part.close)
        spent.ready, spent.step = self._ledger.now(), drawn.stepping
        spent.draw = spent.ready - began - drawn.stepping - (spent.encoding.seconds if lane is None else 0)
        if play.is_foreseen and last == play.frames:
            self.note_state(play, last, state_of(play.scene))
        if not play.held:
            self._costs.drew(drawn, play.effort, behind=lane is not None)
            self._costs.stepped(drawn.frames, drawn.stepping)
        if self._observe is not None:
            self._seen.append([self._observe.take()])
        guard.stale = False
        self._poster.consider(play.pixels(), play.index)

    def draw_there(self, play: Play, first: int, last: int, *, has_background: bool, states: bool) -> None:
        """Have other processes draw the frames from ``first`` up to before ``last``; returns when they have begun.

        With ``states`` they report the states that they begin with, and that the next part must begin with.
        """
        part = self._add_part(play, first, SegmentWay.over if states or play.held else SegmentWay.apart)
        slot = len(self._seen)
        self._seen.append([])
        states = states or play.is_foreseen

        def done(report: dict[str, Any]) -> None:
            if not play.held:
                self._costs.took(report["frames"], play.effort, *report["spent"][1:])
            part.spent.step, part.spent.draw, part.spent.encoding.seconds = report["spent"]
            self._seen[slot] = [seen for _, seen in report["seen"]]
            for number, state in report["states"]:
                self.note_state(play, number, state)
            if report["shown"] is not None:
                part.shown = [(digest, repeat) for _, (digest, repeat) in report["shown"]]
            part.close()
            if (poster := report["poster"]) is not None:
                self._poster.consider_file(poster["score"], play.index, Path(poster["file"]), tuple(poster["shape"]))

        findings = Findings(play, self._observe, self._directory, self._poster.rank)
        together = Together(play, first, last, part.target, findings, states=states, has_background=has_background)
        most = 1 if play.held else self._processes(play, last - first, stepped=not states)
        try:
            part.spent.processes = together.start(self._drawers, most, partial(self._tracker.drawn, play.index), done)
        except DrawerFailedError as problem:
            self._way_back.take(str(problem))
        except OSError as problem:
            self._way_back.take(f"no further process may be started ({problem.strerror})")
        self.forked += 1
        guard.stale = True

    def take_over(self, play: Play, segments: Sequence[Path], frames: int, *, has_background: bool) -> None:
        """Have the kept ``segments``, of so many frames together, in the place of ``play``, which stands at its end.

        ``has_background`` tells that what does not move in it has been drawn.
        """
        for number, segment in enumerate(segments):
            writer = play.renderer.file_writer
            writer.add_partial_movie_file(f"{play.index:05}_{number:06}_kept")
            for listed in (writer.partial_movie_files, writer.sections[-1].partial_movie_files):
                listed[-1] = str(segment)
        play.draw_last(has_background=has_background)
        guard.stale = False
        self._tracker.drawn(play.index, frames)
        self._poster.consider(play.pixels(), play.index)

    def end_play(self, index: int) -> None:
        """No more parts of play ``index`` come."""
        if index in self._drawn:
            self._over[index] = self._drawn[index]
        self._offer_now_and_then()

    def note_state(self, play: Play, number: int, state: str) -> None:
        """Frame ``number`` of ``play`` begins with ``state``. All who say so must say the same."""
        if self._states.setdefault((play.index, number), state) != state:
            self._way_back.take(f"animation {play.index} could not be stepped over: at its frame {number} it differs")

    def listen_now_and_then(self) -> None:
        """Take what the drawers have said, if that was not done just before."""
        now = time.monotonic()
        if now - self._listened_at >= LISTEN_SECONDS:
            self._listened_at = now
            try:
                self._drawers.listen()
            except DrawerFailedError as problem:
                self._way_back.take(str(problem))
            self._offer_now_and_then()

    def give_up(self) -> None:
        """The scene has failed. What is drawn of it all the same, within a moment, is kept."""
        if self._reuse is None:
            return
        with suppress(DrawerFailedError):  # what has failed is not kept, and nobody waits for its frames any more
            self._drawers.wait(PARTING_SECONDS)
        if self._behind is not None:
            self._behind.settle()
        self._keep(self._reuse)

    def finish(self) -> None:
        """Wait until all parts are drawn."""
        self._ledger.close()
        try:
            self._drawers.wait()
        except DrawerFailedError as problem:
            self._way_back.take(str(problem))
        if self._behind is not None:
            self._behind.settle()
            self._behind.stop()
        self._ledger.settle()
        if self._observe is not None:
            for seen in itertools.chain.from_iterable(self._seen):
                self._observe.add(seen)
            self._seen.clear()
        if self._reuse is not None:
            self._keep(self._reuse)

    def _offer_now_and_then(self) -> None:
        """Offer what is whole, if that was not done just before: the render may be ended at any time."""
        now = time.monotonic()
        if self._reuse is not None and now - self._offered_at >= OFFER_SECONDS:
            self._offered_at = now
            self._keep(self._reuse)
            with suppress(OSError, ValueError):  # the scene works in another folder now, or nobody listens
                self._reuse.offer()

    def _keep(self, reuse: Reuse) -> None:
        """Put plays that are over and whole among those that were made; their states, if they have any, were the same.

        A play of which all parts are whole has had all their states compared: each comes with a part, but for the last
        one, which is noted before the play is over.
        """
        for index, parts in list(self._over.items()):
            if all(part.whole for part in parts):
                del self._over[index]
                play, key = parts[0].play, parts[0].play.key
                shown = [frame for part in parts for frame in part.shown or ()]
                if key is None and shown and all(part.shown is not None for part in parts):
                    key = key_of(shown, play.encoding)
                if key is not None:
                    reuse.made(play.begin, key, [part.target for part in parts])

    def work(self, join: float) -> DrawingWork | None:
        """Return what all parts took, and ``join`` seconds for joining them; None when that is not known."""
        return self._ledger.told((part.spent for parts in self._drawn.values() for part in parts), join)

    def _processes(self, play: Play, frames: int, *, stepped: bool) -> int:
        """Return how many processes should draw a part of so many frames together."""
        if not self._switches.share:
            return 1
        if self._switches.always:
            return min(self._drawers.limit, CREW)
        return self._costs.crew(frames, play.effort, stepped=stepped)

    def _add_part(self, play: Play, first: int, way: SegmentWay) -> _Part:
        part = _Part(play, self._add_segment(play, first), Spent(way, self._ledger.now()))
        self._drawn.setdefault(play.index, []).append(part)
        return part

    def _add_segment(self, play: Play, first: int) -> Path:
        writer = play.renderer.file_writer
        writer.add_partial_movie_file(f"{play.index:05}_{first:06}")
        self.segments += 1
        path = Path(writer.partial_movie_files[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
