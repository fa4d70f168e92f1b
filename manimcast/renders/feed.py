"""The events of renders, to any number of listeners in this process, whoever runs the renders.

All listeners of a render share one topic: its last few events, and where the table says that it stands. Each has only
its place, so a slow one costs nothing and holds up nobody: once what it has not heard is no longer in the topic, it
reads from the table until it has caught up. What feeds the topics is :mod:`manimcast.renders.watch`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from manimcast.renders.events import Event, EventLog
from manimcast.renders.rows import State

RECENT = 200
"""Events of a render that are in memory while somebody listens."""
PAGE = 200
"""Events that are read from the table at once."""
FAREWELL = 2.0
"""Seconds that listeners have at the end of the service to hear what is there and go."""


class Topic:
    """What is known here of a render that somebody listens to or waits for.

    ``state`` is None until the table was looked at. ``is_over`` is set when nothing more will come: the render is
    gone, or the service ends. ``news`` is set, and replaced, when any of it has changed.
    """

    def __init__(self) -> None:
        self.users = 0
        self.state: State | None = None
        self.is_over = False
        self.news = asyncio.Event()
        self._recent: deque[Event] = deque()
        self._before: int | None = None

    def after(self, number: int) -> list[Event] | None:
        """Return what came after event ``number``; None when only the table knows."""
        if self._before is None or number < self._before:
            return None
        found: list[Event] = []
        for event in reversed(self._recent):
            if event.number <= number:
                break
            found.append(event)
        return found[::-1]

    @property
    def last(self) -> int | None:
        """The number of the newest event here."""
        return self._recent[-1].number if self._recent else self._before

    def update(self, state: State, events: Collection[Event]) -> None:
        """Take note of where the render stands, and of all its events since :attr:`last`."""
        if self._before is None:
            self._before = state.last_event
        self._recent.extend(events)
        while len(self._recent) > RECENT:
            self._before = self._recent.popleft().number
        if events or state != self.state:
            self.state = state
            self._wake()

    def close(self) -> None:
        """Let those go who listen and wait, once they have heard what is here."""
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class Feed:
    """The topics of this process.

    Attributes
    ----------
    is_closed
        The service ends: nobody is kept waiting any more.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._topics: dict[str, Topic] = {}
        self._nudged: set[str] = set()
        self._woken = asyncio.Event()
        self.is_closed = False
        self._left = asyncio.Event()
        log.listeners.append(self.nudge)

    async def listen(
        self, render_id: str, after: int = 0, *, idle: float | None = None
    ) -> AsyncGenerator[list[Event], None]:
        """Yield the events of a render that come after event ``after``, up to the one that ends it.

        After ``idle`` seconds without any, an empty list is yielded. It stops before the end when the render is
        deleted, or when the service ends. May raise ``DatabaseError``.
        """
        with self.topic(render_id) as topic:
            while True:
                news = topic.news  # before the look: what comes in between is not overlooked
                batch = topic.after(after)
                if batch is None:
                    batch = await self._log.after(render_id, after, limit=PAGE)
                if batch:
                    yield batch
                    after = batch[-1].number
                    if batch[-1].type.ends:
                        return
                elif topic.is_over or (topic.state is not None and topic.state.status.ended):
                    return
                else:
                    try:
                        await asyncio.wait_for(news.wait(), idle)
                    except TimeoutError:
                        yield []

    async def until(self, render_id: str, holds: Callable[[State], bool]) -> None:
        """Wait until the state of a render is one for which ``holds`` is true, or nothing more will come."""
        with self.topic(render_id) as topic:
            while not topic.is_over and (topic.state is None or not holds(topic.state)):
                await topic.news.wait()

    @contextmanager
    def topic(self, render_id: str) -> Iterator[Topic]:
        """Be one of those for whom the topic of a render is kept up to date."""
        topic = self._topics.get(render_id)
        if topic is None:
            topic = self._topics[render_id] = Topic()
            topic.is_over = self.is_closed
            self.nudge(render_id)
        topic.users += 1
        try:
            yield topic
        finally:
            topic.users -= 1
            if not topic.users and self._topics.get(render_id) is topic:
                del self._topics[render_id]
            if not self._topics:
                self._left.set()

    def topics(self) -> dict[str, Topic]:
        """Return the topics that somebody is interested in, by the renders' ids."""
        return dict(self._topics)

    async def due(self, interval: float) -> set[str]:
        """Wait for a nudge, for ``interval`` seconds at most, and return the ids of the renders to look at."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), interval)
        self._woken.clear()
        nudged, self._nudged = self._nudged, set()
        return nudged

    def nudge(self, render_id: str) -> None:
        """Have the table looked at now, if anybody is interested in this render."""
        if render_id in self._topics:
            self._nudged.add(render_id)
            self._woken.set()

    async def update(self, topics: Mapping[str, Topic], states: Mapping[str, State]) -> None:
        """Tell the topics where their renders stand; those of renders that are not in ``states`` are gone."""
        for render_id, topic in topics.items():
            state = states.get(render_id)
            if state is None:
                topic.close()
                continue
            events: list[Event] = []
            last = topic.last
            while last is not None and last < state.last_event:
                page = await self._log.after(render_id, last, limit=PAGE)
                if not page:
                    break  # it has been deleted since
                events += page
                last = page[-1].number
            topic.update(state, events)

    async def close(self) -> None:
        """Let everybody go, and wait a moment until they have."""
        self.is_closed = True
        self._left.clear()
        for topic in self._topics.values():
            topic.close()
        if self._topics:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), FAREWELL)
