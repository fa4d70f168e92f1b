"""How the folder of a cache is kept within its bound: what was not used for longest goes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

ABANDONED_SECONDS = 3600.0
"""Age after which a file that was never finished belongs to a process that died."""
ROOM = 0.1
"""Share of the bound that is made free when it is reached."""

Kept = tuple[int, int, Path]
"""Time of last use in nanoseconds, size in bytes, and place of something that is kept."""


class Room:
    """Room for ``max_bytes``, about. ``survey`` tells all that is kept, ``remove`` takes something away.

    Both may raise :class:`OSError`, which :meth:`make` passes on.
    """

    def __init__(self, max_bytes: int, survey: Callable[[], list[Kept]], remove: Callable[[Path], None]) -> None:
        self._max_bytes = max_bytes
        self._survey = survey
        self._remove = remove
        self._lock = threading.Lock()
        self._size: int | None = None
        self._unseen = 0

    def make(self, added: int) -> None:
        """Count ``added`` bytes, and remove what is oldest when there are too many bytes by now."""
        with self._lock:
            if self._size is not None:
                self._size += added
                self._unseen += added
                # Others may write here as well; from time to time, look.
                if self._size <= self._max_bytes and self._unseen < self._max_bytes * ROOM:
                    return
            kept = sorted(self._survey())
            self._size, self._unseen = sum(size for _, size, _ in kept), 0
            if self._size <= self._max_bytes:
                return
            for _, size, place in kept:
                self._remove(place)
                self._size -= size
                if self._size <= self._max_bytes * (1 - ROOM):
                    break
