"""Progress lines of the original endpoint, made from a render's events.

Within an attempt each play, and each wait, goes from 0 to 100 and never back, whatever the events leave out. Every
attempt after the first opens with a line that names its executor, and begins again at play 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from manimcast.renders import Event, EventType
from manimcast.spec import JsonObject

_DONE = 100


class ProgressLines:
    """Remembers which line came last."""

    def __init__(self) -> None:
        self._restart()

    def after(self, event: Event) -> Iterator[JsonObject]:
        """Yield the lines that are due once ``event`` has happened."""
        match event.type:
            case EventType.running if event.attempt > 1:
                self._restart()
                yield {"executor": event.data["executor"], "attempt": event.attempt}
            case EventType.progress:
                yield from self._go_to(event.data["animation_index"], event.data["animation_percent"])
            case EventType.segment:
                yield from self._go_to(event.data["animation_index"], _DONE)
            case EventType.succeeded:
                yield from self._up_to(_DONE)
            case _:
                pass

    def _restart(self) -> None:
        self._index = -1
        self._percent = _DONE

    def _go_to(self, index: int, percent: int) -> Iterator[JsonObject]:
        while self._index < index:
            yield from self._up_to(_DONE)
            self._index += 1
            self._percent = -1
            yield from self._up_to(0)
        if index == self._index:
            yield from self._up_to(percent)

    def _up_to(self, percent: int) -> Iterator[JsonObject]:
        if percent > self._percent:
            self._percent = percent
            yield {"animationIndex": self._index, "percentage": percent}
