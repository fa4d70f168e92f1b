"""What stepping, drawing and encoding a frame takes in this scene, learned on the way, and what follows from it.

Times are of processors, not of clocks on the wall: what others do on the machine at the moment shall not decide.
"""

from __future__ import annotations

import itertools

from manimcast.engine.parallel.frames import Drawn

SEGMENT_SECONDS = 0.6
"""The work of one segment, or its encoding where drawing is shared: short enough to keep all cores busy to the end,
long enough for its first picture, which is coded whole, not to count."""
PROCESS_SECONDS = 0.08
"""What another process costs, most of it for memory that is no longer shared once it is written to."""

FRAME_SECONDS = 0.0006
PIXEL_SECONDS = 0.8e-9
PATH_SECONDS = 9e-6
"""A first guess at drawing a frame: for a frame, for each of its pixels, for each path that moves."""
ENCODED_SECONDS = 0.0004
ENCODED_PIXEL_SECONDS = 2.2e-9
"""A first guess at encoding a frame: for a frame, for each of its pixels."""

CREW_SECONDS = 0.25
"""The work that each process must have of a part that several draw together: several times what a process costs."""
CREW_GUESS = 2.0
"""How many times as many may draw as should keep the encoder busy, as what drawing takes is but a guess at first. Those
who find that they are too many leave."""
CREW_STEPPING = 0.15
"""The share of a part's work that stepping it again, in further processes, may take at most."""

GAIN = 1.2
"""How many times sooner a play must be done with other processes for their time to be worth it."""
NEWEST = 0.5
"""The weight of the newest measurement."""


def divide(frames: int, parts: int) -> list[tuple[int, int]]:
    """Divide ``frames`` into so many parts of about equal length: the first of each, and the one after its last."""
    return list(itertools.pairwise(round(part * frames / parts) for part in range(parts + 1)))


class Costs:
    """Seconds per frame.

    Parameters
    ----------
    pixels
        Of one frame.
    processors
        How many processes, or threads that encode, can work at once.
    encoders
        How many threads encode what is drawn in this process.

    Attributes
    ----------
    step, encode
        What stepping and encoding a frame took of late.
    """

    def __init__(self, pixels: int, processors: int, encoders: int = 1) -> None:
        self._base = FRAME_SECONDS + pixels * PIXEL_SECONDS
        self._first_encode = ENCODED_SECONDS + pixels * ENCODED_PIXEL_SECONDS
        self._processors = processors
        self._encoders = encoders
        self._scale = 1.0
        self.step = 0.0
        self.encode = self._first_encode

    def draw(self, paths: int) -> float:
        """Return what drawing a frame in which ``paths`` are drawn anew should take."""
        return self._first_draw(paths) * self._scale

    def drew(self, drawn: Drawn, paths: int, *, behind: bool) -> None:
        """Learn from ``drawn``, frames with ``paths`` of this process; ``behind`` it a thread encoded them."""
        if not drawn.frames:
            return
        whole = max(0.0, drawn.seconds - drawn.stepping)
        if behind:
            drawing = max(0.0, drawn.own - drawn.stepping)
        else:
            drawing = whole * self.draw(paths) / (self.draw(paths) + self.encode)
        self.took(drawn.frames, paths, drawing, max(0.0, whole - drawing))

    def took(self, frames: int, paths: int, drawing: float, encoding: float) -> None:
        """Learn: drawing ``frames`` with ``paths``, and encoding them, took so many seconds."""
        scale = min(50.0, max(0.0, drawing) / frames / self._first_draw(paths))
        self._scale += NEWEST * (scale - self._scale)
        self.encode += NEWEST * (encoding / frames - self.encode)

    def stepped(self, frames: int, seconds: float) -> None:
        """Learn: stepping ``frames`` took ``seconds``."""
        if frames:
            self.step += NEWEST * (seconds / frames - self.step)

    def is_worth_a_process(self, frames: int, paths: int, *, stepped_twice: bool) -> bool:
        """Return whether ``frames`` with ``paths`` are done sooner when another process draws and encodes them.

        ``stepped_twice`` tells that this process has to step them as well.
        """
        if not frames:
            return False
        draw = self.draw(paths)
        work = self.step + draw + self.encode
        alone = max(self.step + draw, self.encode / self._encoders, work / self._processors)
        work += PROCESS_SECONDS / frames
        others = max(self.step, (self.step + work) / self._processors) if stepped_twice else work / self._processors
        return alone > GAIN * others

    def parts(self, frames: int, paths: int, effort: int) -> int:
        """Return in how many parts ``frames`` are drawn in which ``paths`` move, which take the ``effort`` of so many.

        By the first guess: it is the same in every run. Where drawing is most of the work it is shared within a
        part, and only encoding bounds how long one may be.
        """
        encode = self._first_encode
        draw = 0.0 if self._first_draw(effort) > encode else self._first_draw(paths)
        return max(1, round(frames / max(8, round(SEGMENT_SECONDS / (draw + encode)))))

    def crew(self, frames: int, paths: int, *, stepped: bool) -> int:
        """Return how many processes should draw a part of ``frames`` with ``paths`` together, one of which encodes it.

        ``stepped`` tells that each of them has to step through all frames.
        """
        draw = self.draw(paths)
        work = self.step + draw + self.encode
        most = min(self._processors, frames * work / CREW_SECONDS, CREW_GUESS * work / self.encode)
        if stepped and self.step:
            most = min(most, 1 + CREW_STEPPING * work / self.step)
        return max(1, int(most))

    def _first_draw(self, paths: int) -> float:
        return self._base + paths * PATH_SECONDS
