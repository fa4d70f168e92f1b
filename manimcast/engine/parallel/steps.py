"""Draw a part of a play as one of a crew: the one who leads and encodes, or one who helps."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType

import av

from manimcast.engine.convert import Converter
from manimcast.engine.parallel.crew import Crew, Handed, Rows
from manimcast.engine.parallel.frames import Play
from manimcast.engine.patches import frame
from manimcast.engine.planes import Picture
from manimcast.engine.segment import SegmentEncoder
from manimcast.engine.track import Pixels
from manimcast.engine.yuv420 import Rounding

Seen = Callable[[int, Pixels], None]
"""Sees each frame that this process has drawn, with its number in the play."""

AHEAD = 2
"""Frames that the one who leads draws before they are wanted, at most."""


IN_VAIN = 3
"""How often in a row one who helps finds no place for its frame, before it leaves."""


class Steps:
    """Draws some of the frames of ``play``, from ``first`` on, in their order.

    ``jumps`` tells that each frame can be reached at once; else all before it are stepped through.

    Attributes
    ----------
    stepping
        What stepping took so far, in seconds of processor time.
    """

    def __init__(self, play: Play, first: int, *, jumps: bool, seen: Seen) -> None:
        self._play, self._at, self._jumps, self._seen = play, first, jumps, seen
        self.stepping = 0.0
        self._is_first = True

    def draw(self, number: int) -> tuple[Pixels, Rows | None, Rows | None]:
        """Draw a frame. Returns its pixels and, where None stands for all, which rows were drawn on, and which differ
        from the frame drawn here before."""
        play, before = self._play, time.thread_time()
        if not self._jumps:
            play.step(self._at, number, _nothing)
        play.scene.update_to_time(play.times[number])
        self.stepping += time.thread_time() - before
        play.draw_frame()
        play.pass_time(1)
        pixels = play.pixels()
        self._seen(number, pixels)
        camera = play.renderer.camera
        touched, changed = frame.touched_rows(camera), frame.drawn_rows(camera)
        if self._is_first:
            self._is_first, changed = False, None
        self._at = number + 1
        return pixels, touched, changed


def lead(steps: Steps, crew: Crew, encoder: SegmentEncoder, native: ModuleType) -> None:
    """Encode all frames of the part in their order, and draw those of them that would have to be waited for."""
    spec = encoder.spec
    converter = Converter(spec.pixel_format, spec.width, spec.height)
    pictures: list[Picture] = []
    mine: dict[int, tuple[av.VideoFrame, Rows | None]] = {}
    handed: dict[int, Handed] = {}

    def fetch(found: Handed) -> av.VideoFrame:
        picture = next((picture for picture in pictures if picture.is_free()), None)
        if picture is None:
            picture = Picture(native, spec.pixel_format, spec.width, spec.height)
            pictures.append(picture)
        crew.fetch(found, picture)
        return picture.frame()

    before: Rows | None = None
    for number in range(crew.first, crew.last):
        while number not in mine and number not in handed:
            found = crew.handed(wait=False)
            if found is None and len(mine) < AHEAD and (taken := crew.take()) is not None:
                pixels, touched, changed = steps.draw(taken)
                mine[taken] = converter.convert(pixels, changed), touched
                continue
            found = found or crew.handed(wait=True)
            if found is not None:
                handed[found.number] = found
        shown, rows = mine.pop(number) if number in mine else (fetch(handed[number]), handed.pop(number).rows)
        encoder.show(shown, None if number == crew.first else frame.around(before, rows))
        before = rows


def help_out(steps: Steps, crew: Crew, helper: int, rounding: Rounding) -> None:
    """Draw frames that nobody has taken, until there are no more, and hand them over; ``helper`` is who this is.

    Where encoding takes longer than drawing by all of them, some leave, for other parts to have their processors.
    """
    in_vain = 0
    while in_vain < IN_VAIN and (number := crew.take()) is not None:
        pixels, touched, changed = steps.draw(number)
        crew.outdate(helper, changed or (0, len(pixels)))
        if helper:  # the first one stays
            in_vain = 0 if crew.has_place(helper) else in_vain + 1
        place, picture = crew.place(helper)
        picture.write(pixels, rounding)
        crew.hand_over(Handed(number, helper, place, touched))


def _nothing() -> None:
    """Nobody has to be listened to between two steps."""
