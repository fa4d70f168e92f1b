"""Which processors a render draws on: disjoint ones for renders at the same time, where there are enough.

Left to the system, processes that draw at once can come to share a processor while another is idle. Pinned blindly, two
renders would choose the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from manimcast import processors
from manimcast.settings import Settings


class CorePool:
    """Hands out ``sets`` of processors, no two of them with one in common; nothing when there are no more."""

    def __init__(self, sets: list[tuple[int, ...]]) -> None:
        self._free = list(sets)

    @classmethod
    def from_settings(cls, settings: Settings) -> CorePool:
        """Return a set for each slot, or none where the machine's processors are not enough, or not this service's."""
        there, each = processors.allowed(), settings.drawers
        if processors.quota() is not None or settings.slots * each > len(there):
            return cls([])
        return cls([there[slot * each : (slot + 1) * each] for slot in range(settings.slots)])

    @contextmanager
    def some(self) -> Iterator[tuple[int, ...]]:
        """Lend a set, which may be empty."""
        lent = self._free.pop() if self._free else ()
        try:
            yield lent
        finally:
            if lent:
                self._free.append(lent)
