"""What a play will show, found out before it is drawn, so that segments of an earlier render can have its place.

A still play shows one frame, which can be looked at. One whose frames depend on their time alone is stepped to its end
in this process, and back to its first frame when it has to be drawn after all. Any other is stepped by a copy of this
process.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from manimcast.engine.drawn import UnknownError
from manimcast.engine.forking import fork
from manimcast.engine.parallel import files
from manimcast.engine.parallel.frames import Play
from manimcast.engine.parallel.parts import Parts
from manimcast.engine.parallel.pixels import guard
from manimcast.engine.parallel.purity import is_pure, state_of
from manimcast.engine.parallel.way_back import WayBack
from manimcast.engine.reuse import Reuse, Shown, Watch, key_of
from manimcast.engine.track import Tracker


@dataclass(frozen=True)
class Ahead:
    """What a play will show: its key, the number of its frames, and the state that it ends in."""

    key: str
    frames: int
    state: str


class Foresight:
    """Looks ahead at each play of one scene, and has the segments that are kept of it in its place.

    Parameters
    ----------
    reuse
        Where they are kept.
    tracker, parts
        Told of what need not be drawn.
    way_back
        Taken when a play does not come out as it was foreseen.
    skip
        Whether plays whose frames depend on their time alone may be told by :func:`.purity.is_pure`.

    Attributes
    ----------
    reused
        How many plays were not drawn.
    """

    def __init__(self, reuse: Reuse, tracker: Tracker, parts: Parts, way_back: WayBack, *, skip: bool) -> None:
        self._reuse = reuse
        self._tracker = tracker
        self._parts = parts
        self._way_back = way_back
        self._skip = skip
        self.reused = 0

    def has(self, play: Play) -> bool:
        """Have the kept segments of what ``play`` shows in its place, if there are; return whether that is done."""
        try:
            play.watch = Watch(play.renderer, play.scene)
            play.begin = play.watch.frame()
            if not self._reuse.expects(play.begin, play.encoding):
                return False
            if play.held:
                return self._is_kept_still(play, play.watch)
            if not self._way_back.is_open():
                return False
            if self._skip and is_pure(play.scene):
                return self._is_kept_here(play, play.watch)
            return self._is_kept_as_a_copy_says(play, play.watch)
        except (UnknownError, OSError):
            return False

    def _is_kept_still(self, play: Play, watch: Watch) -> bool:
        play.key = key_of([(watch.frame(), play.held)], play.encoding)
        segments = self._reuse.find(play.key, play.held)
        if segments is not None:
            play.pass_time(play.held)
            self._replace(play, segments, play.held)
        return segments is not None

    def _is_kept_here(self, play: Play, watch: Watch) -> bool:
        """Step to the end, as Manim does; and back where the play is not kept, as every frame can be reached at once.

        That it can is checked: whoever draws the play must find the same states at its first and its last frame.
        """
        clock, was_stale = play.renderer.time, guard.stale
        shown: list[Shown] = []
        states: list[str] = []

        def look() -> None:
            if not states:
                states.append(state_of(play.scene))
            shown.append((watch.frame(), 1))
            self._parts.listen_now_and_then()

        guard.stale = True
        segments = None
        try:
            play.leave_first_traces(pure=True)
            play.step(0, play.frames, look)
            key = key_of(shown, play.encoding)
            segments = self._reuse.find(key, play.frames)
            if segments is not None:
                self._replace(play, segments, play.frames)
                return True
            states.append(state_of(play.scene))
        finally:
            if segments is None:
                play.go_back(clock)
                guard.stale = was_stale
        play.key = key
        for number, state in zip((0, play.frames), states, strict=True):
            self._parts.note_state(play, number, state)
        return False

    def _is_kept_as_a_copy_says(self, play: Play, watch: Watch) -> bool:
        coming = _by_a_copy(play, watch)
        segments = self._reuse.find(coming.key, coming.frames) if coming is not None else None
        if coming is None or segments is None:
            return False
        play.draw_background()  # what moves from here on is not seen to
        guard.stale = True
        play.step(0, play.frames, self._parts.listen_now_and_then)
        if state_of(play.scene) != coming.state:
            self._way_back.take(f"animation {play.index} did not come out as it was foreseen")
        self._replace(play, segments, coming.frames, has_background=True)
        return True

    def _replace(self, play: Play, segments: Sequence[Path], frames: int, *, has_background: bool = False) -> None:
        self._tracker.plan(frames)
        self._parts.take_over(play, segments, frames, has_background=has_background)
        self.reused += 1


def _by_a_copy(play: Play, watch: Watch) -> Ahead | None:
    """Return what ``play`` will show, by a copy of this process that steps it; None when that cannot be said.

    Raises :class:`OSError` when the system refuses another process.
    """
    pid, reader, writer = fork()
    if pid == 0:
        try:
            gc.freeze()  # looking through what was made before would copy its memory
            files.keep_apart()
            _be_silent()
            guard.stale, guard.on_read = True, partial(os._exit, 0)  # nobody can see what is not drawn
            shown: list[Shown] = []
            play.step(0, play.frames, lambda: shown.append((watch.frame(), 1)))
            said = [key_of(shown, play.encoding), len(shown), state_of(play.scene)]
            os.write(writer, json.dumps(said).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        said = json.loads(answer.read() or b"null")
    os.waitpid(pid, 0)
    return Ahead(*said) if said else None


def _be_silent() -> None:
    """Print nothing: this process prints the same again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
