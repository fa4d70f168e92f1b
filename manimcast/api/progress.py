"""Progress lines of the original endpoint, made from what a render says.

Within an attempt each play, and each wait, goes from 0 to 100 and never back, whatever the render reports or
leaves out. Every attempt after the first opens with a line that names its executor, and begins again at play 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from manimcast.renders import AttemptBegan
from manimcast.spec import JsonObject
from manimcast.wire import Finished, Message, Playing, Progressed

_DONE = 100


class ProgressLines:
    """Remembers which line came last."""

    def __init__(self) -> None:
        self._restart()

    def after(self, message: Message | AttemptBegan) -> Iterator[JsonObject]:
        """Yield the lines that are due once ``message`` was said."""
        match message:
            case AttemptBegan(executor=executor, attempt=attempt) if attempt > 1:
                self._restart()
                yield {"executor": executor, "attempt": attempt}
            case Playing(index=index):
                yield from self._go_to(index, 0)
            case Progressed(progress=progress):
                yield from self._go_to(progress.animation_index, progress.animation_percent)
            case Finished():
                yield from self.finish()
            case _:
                pass

    def finish(self) -> Iterator[JsonObject]:
        """Yield the line that ends the last play, if it is due."""
        yield from self._up_to(_DONE)

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
