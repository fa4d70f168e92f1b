"""Who wants to see the frames, for tests and tools."""

from __future__ import annotations

from typing import Any, Protocol

from manimcast.engine.track import Pixels


class Observer(Protocol):
    """Sees the frames, though several processes may draw them."""

    def frame(self, pixels: Pixels, repeat: int) -> None:
        """``pixels`` are handed to the encoder, ``repeat`` times."""

    def take(self) -> Any:
        """Return what was seen since the last call, as JSON can hold it."""

    def add(self, seen: Any) -> None:
        """Take over what another process has seen, or this one before. Called in the order of the frames."""
