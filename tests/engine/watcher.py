"""Looks at the frames of a render, whichever process draws them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Watcher:
    """Keeps what ``look`` makes of each frame (pixels, and how often they are shown), as JSON can hold it."""

    def __init__(self, look: Callable[[Any, int], Any]) -> None:
        self._look = look
        self.seen: list[Any] = []

    def frame(self, pixels: Any, repeat: int) -> None:
        """Look at a frame."""
        self.seen.append(self._look(pixels, repeat))

    def take(self) -> list[Any]:
        """Return what was seen since the last time."""
        taken, self.seen = self.seen, []
        return taken

    def add(self, seen: list[Any]) -> None:
        """Keep what was taken, here or elsewhere."""
        self.seen += seen
