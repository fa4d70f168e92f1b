"""What an attempt says, as events: progress thinned to a few a second, segments and log lines bounded.

Everything that was said since the last time is written in one transaction. Nobody waits for that but the writer.
"""

from __future__ import annotations

import asyncio
import logging
import time

from manimcast.database import DatabaseError
from manimcast.renders.events import EventLog, EventType, Said, segment
from manimcast.renders.model import RenderProgress
from manimcast.renders.rows import Claim
from manimcast.wire import Logged, Message, Played, Progressed

INTERVAL = 0.3
"""Seconds between two times that the events of an attempt are written, when it has gone on for a while."""
SHORTEST = 0.005
"""Seconds between the first two times; each next pause is twice as long. The first frame is told of at once."""
MOST_SEGMENTS = 2000
"""Segments of an attempt that are told, one by one."""
MOST_LINES, MOST_TEXT = 200, 100_000
"""Lines, and characters in all, that are told of what an attempt logs."""
LEFT_OUT = "More was logged than is told here."

logger = logging.getLogger(__name__)


class Reporter:
    """Writes the events of one attempt to ``log``.

    Attributes
    ----------
    progress
        How far the attempt is, as far as it has said.
    """

    def __init__(self, claim: Claim, log: EventLog) -> None:
        self._claim = claim
        self._log = log
        self._began = time.monotonic()
        self._said: list[Said] = []
        self._is_further = False
        self._due = asyncio.Event()
        self._segments = 0
        self._lines = 0
        self._text = 0
        self._is_full = False
        self.progress: RenderProgress | None = None

    def hear(self, message: Message) -> None:
        """Take note of something that the attempt says."""
        match message:
            case Progressed(progress=progress):
                self.progress = RenderProgress.after(progress, time.monotonic() - self._began)
                self._is_further = True
                self._due.set()
            case Played():
                self._segment(message)
            case Logged():
                self._line(message)
            case _:
                pass

    async def run(self) -> None:
        """Write what is said, soon and not too often, until canceled; what is being written then is written."""
        pause = SHORTEST
        while True:
            await self._due.wait()
            writing = asyncio.create_task(self._try_to_write())
            try:
                await asyncio.shield(writing)
            finally:  # of a transaction that is cut short nobody knows whether it was committed
                await asyncio.wait({writing})
            await asyncio.sleep(pause)
            pause = min(INTERVAL, 2 * pause)

    async def _try_to_write(self) -> None:
        try:
            await self.write()
        except DatabaseError as error:
            logger.warning("the progress of the render was not written: %s", error)

    async def write(self) -> None:
        """Write what was said and is not written yet; whoever raises ``DatabaseError`` has written nothing."""
        said, is_further = self._take(), self._is_further
        self._is_further = False
        self._due.clear()
        if not said and not is_further:
            return
        progress = self.progress if is_further else None
        try:
            await self._log.report(self._claim.id, self._claim.attempt, said, progress)
        except BaseException:  # it is for the next time
            self._said = said + self._said
            self._is_further |= is_further
            self._due.set()
            raise

    def last_words(self, progress: RenderProgress | None) -> list[Said]:
        """Return what is not written yet, and that the attempt came as far as ``progress``; the caller writes it."""
        said = self._take()
        if progress is not None and (self._is_further or progress != self.progress):
            said.append(Said(EventType.progress, progress.model_dump(mode="json")))
        return said

    def _take(self) -> list[Said]:
        said, self._said = self._said, []
        return said

    def _segment(self, played: Played) -> None:
        self._segments += 1
        if self._segments <= MOST_SEGMENTS:
            self._say(segment(played.index, played.kind, played.frames, played.duration))

    def _line(self, logged: Logged) -> None:
        self._lines += 1
        self._text += len(logged.text)
        if not self._is_full and self._lines < MOST_LINES and self._text <= MOST_TEXT:
            self._say(Said(EventType.log, {"level": logged.level, "text": logged.text}))
        elif not self._is_full:
            self._is_full = True
            self._say(Said(EventType.log, {"level": "warning", "text": LEFT_OUT}))

    def _say(self, said: Said) -> None:
        self._said.append(said)
        self._due.set()
