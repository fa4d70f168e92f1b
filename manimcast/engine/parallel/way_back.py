"""What becomes of a render when drawing it by several processes does not work: one of them draws it, frame by frame."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from manimcast.engine.behind import wait_for_all
from manimcast.engine.parallel.checkpoint import Checkpoint
from manimcast.engine.parallel.drawers import Drawers
from manimcast.engine.parallel.pixels import guard
from manimcast.engine.parallel.said import Said
from manimcast.engine.track import Tracker


class Voice(Protocol):
    """The way from the render to the service, which one process speaks on at a time."""

    def state(self) -> dict[str, int]:
        """Return how far the conversation is."""

    def take_over(self, state: dict[str, int]) -> None:
        """Go on with the conversation from another process, which is silent from now on."""


class WayBack:
    """A copy of this process waits where the first part was given to another one; it can draw everything from there.

    Attributes
    ----------
    alone
        Why no more than this process may draw, or None.
    """

    def __init__(self, drawers: Drawers, tracker: Tracker, voice: Voice | None) -> None:
        self.alone: str | None = None
        self._drawers = drawers
        self._tracker = tracker
        self._voice = voice
        self._said = Said()
        self._checkpoint = Checkpoint()
        guard.on_read = self._pixels_are_read

    def is_open(self) -> bool:
        """Return whether the copy waits; it is made now if there is none.

        Returns False in the copy as well, at this place, once it has been told to go on.
        """
        if self.alone is not None:
            return False
        if self._checkpoint.is_there:
            return True
        try:
            order = self._checkpoint.take()
        except OSError as problem:
            self.alone = f"no further process may be started ({problem.strerror})"
            return False
        if order is None:
            return True
        self._go_on(order)
        return False

    def take(self, reason: str) -> NoReturn:
        """Have the copy draw everything from where it was made, and end with it. ``reason`` goes into the report."""
        self._drawers.stop()
        wait_for_all()  # the copy writes the same files again
        voice = self._voice.state() if self._voice is not None else {}
        told, said = self._tracker.told(), self._said.places()
        self._checkpoint.hand_over({"reason": reason[:400], "told": told, "voice": voice, "said": said})

    def close(self) -> None:
        """All went well, or nothing can be saved: the copy is not needed any more."""
        self._checkpoint.drop()

    def _go_on(self, order: dict[str, Any]) -> None:
        self.alone = order["reason"]
        self._checkpoint = Checkpoint()
        guard.on_read = None
        self._tracker.resume(tuple(order["told"]))
        self._said.leave_out(order["said"])
        if self._voice is not None:
            self._voice.take_over(order["voice"])

    def _pixels_are_read(self) -> None:
        self.take("the scene reads frames")
