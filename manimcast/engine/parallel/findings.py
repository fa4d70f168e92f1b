"""What a forked process notes while it draws, and reports at its end, alone or together with others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manimcast.engine.parallel.frames import Play
from manimcast.engine.parallel.observer import Observer
from manimcast.engine.parallel.purity import state_of
from manimcast.engine.poster import fullness
from manimcast.engine.reuse import Notes
from manimcast.engine.track import Pixels


class Findings:
    """What one process finds in the frames of ``play`` that it draws.

    Parameters
    ----------
    observe
        Who wants to see the frames, if anybody.
    directory
        Where pixels are left that may become the poster, if they are fuller than ``rank``.
    """

    def __init__(self, play: Play, observe: Observer | None, directory: Path, rank: tuple[int, int]) -> None:
        self._play = play
        self._observe = observe
        self._directory = directory
        self._rank = rank
        self._notes = Notes(None if play.key else play.watch)
        self._seen: list[tuple[int, Any]] = []
        self._numbers: list[int] = []
        self._repeats: list[int] = []
        self._states: list[tuple[int, str]] = []
        self._poster: dict[str, Any] | None = None

    def see(self, number: int, pixels: Pixels, repeat: int) -> None:
        """Frame ``number`` is drawn, and shown ``repeat`` times. Frames are seen in their order."""
        if self._observe is not None:
            self._observe.frame(pixels, repeat)
            self._seen.append((number, self._observe.take()))
        self._notes.note(repeat)
        self._numbers.append(number)
        self._repeats.append(repeat)

    def note_state(self, number: int) -> None:
        """Note the scene's state: that which frame ``number`` must begin with."""
        self._states.append((number, state_of(self._play.scene)))

    def consider_poster(self) -> None:
        """Leave the pixels of the frame just drawn, the last of the play, if they may become the poster."""
        pixels, index = self._play.pixels(), self._play.index
        score = fullness(pixels)
        if (score, index) > self._rank:
            file = self._directory / f"poster-{index}.raw"
            file.parent.mkdir(exist_ok=True)
            pixels.tofile(file)
            self._poster = {"score": score, "file": str(file), "shape": pixels.shape}

    def report(self, stepping: float, drawing: float, encoding: float) -> dict[str, Any]:
        """Return all of it, and what it took in seconds of processor time, as JSON can hold it."""
        shown = self._notes.frames
        return {
            "frames": sum(self._repeats),
            "spent": [stepping, drawing, encoding],
            "states": self._states,
            "shown": None if shown is None else list(zip(self._numbers, shown, strict=True)),
            "seen": self._seen,
            "poster": self._poster,
        }


def together(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the report of a part from those of all who drew it."""
    shown = [report["shown"] for report in reports]
    return {
        "frames": sum(report["frames"] for report in reports),
        "spent": [sum(spent) for spent in zip(*(report["spent"] for report in reports), strict=True)],
        "states": [state for report in reports for state in report["states"]],
        "shown": None if None in shown else sorted((frame for frames in shown for frame in frames), key=_number),
        "seen": sorted((seen for report in reports for seen in report["seen"]), key=_number),
        "poster": next((report["poster"] for report in reports if report["poster"]), None),
    }


def _number(entry: tuple[int, Any]) -> int:
    return entry[0]
