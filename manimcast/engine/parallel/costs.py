"""What stepping and drawing a frame takes in this scene, learned on the way, and what follows from it."""

from __future__ import annotations

from manimcast.engine.parallel.frames import Drawn

WORTH_SECONDS = 0.2
"""Less work than this is done in the process itself: another one costs some 0.05 s of processor time, most of it for
memory that is no longer shared once it is written to, and what is encoded here is encoded in a thread."""
SEGMENT_SECONDS = 0.6
"""The work of one segment: short enough to keep all cores busy to the end, long enough for its first picture, which
is coded whole, not to count."""

FRAME_SECONDS = 0.0008
PIXEL_SECONDS = 3.5e-9
PATH_SECONDS = 9e-6
"""A first guess at drawing and encoding: for a frame, for each of its pixels, for each path that moves."""

GAIN = 1.25
"""How many times sooner a play must be done with other processes for their time to be worth it."""
HERE = 0.6
"""The part of drawing and encoding that holds up the process that draws, as the rest is encoded in a thread."""
NEWEST = 0.5
"""The weight of the newest measurement."""


class Costs:
    """Seconds per frame, of processor time.

    Parameters
    ----------
    pixels
        Of one frame.
    processes
        How many may draw at once.
    """

    def __init__(self, pixels: int, processes: int) -> None:
        self._base = FRAME_SECONDS + pixels * PIXEL_SECONDS
        self._processes = processes
        self._scale = 1.0
        self.step = 0.0

    def guess(self, paths: int) -> float:
        """Return what drawing a frame in which ``paths`` are drawn anew should take."""
        return (self._base + paths * PATH_SECONDS) * self._scale

    def drew(self, drawn: Drawn, paths: int) -> None:
        """Learn from ``drawn``, frames with ``paths``."""
        if drawn.frames:
            found = max(0.0, drawn.seconds - drawn.stepping) / drawn.frames
            scale = found / (self._base + paths * PATH_SECONDS)
            self._scale += NEWEST * (min(50.0, scale) - self._scale)

    def stepped(self, frames: int, seconds: float) -> None:
        """Learn: stepping ``frames`` took ``seconds``."""
        if frames:
            self.step += NEWEST * (seconds / frames - self.step)

    def is_worth_a_process(self, frames: int, draw: float, *, stepped_twice: bool) -> bool:
        """Return whether ``frames``, of ``draw`` seconds each, are done sooner when another process draws them.

        ``stepped_twice`` tells that both processes step them.
        """
        if frames * draw < WORTH_SECONDS:
            return False
        if not stepped_twice:
            return True
        alone = self.step + HERE * draw
        together = max(self.step, (2 * self.step + draw) / self._processes)
        return alone > GAIN * together

    def segment_frames(self, paths: int) -> int:
        """Return how many frames with ``paths`` make a segment. By the first guess: it is the same in every run."""
        return max(8, round(SEGMENT_SECONDS / (self._base + paths * PATH_SECONDS)))
