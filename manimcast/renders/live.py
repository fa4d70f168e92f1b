"""What a running render says, handed on to everyone who follows it.

A render has one channel from before it enters the table until after its end is written there. The channel
remembers what the present attempt has said, so that whoever comes a moment late misses nothing. Nobody who
reads slowly holds up the render or fills the memory: from :data:`ROOM` waiting messages on, a follower's
progress is thinned to the newest of each play, while the 0 and the 100 of every play stay.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from manimcast.renders.model import Render, RenderProgress
from manimcast.spec import SceneError
from manimcast.wire import Logged, Message, Progressed

ROOM = 256
"""Messages that wait for a follower before progress is thinned."""
MOST = 5_000
"""Messages that wait for a follower at most; beyond that, far past any real scene, the oldest go."""
LINES = 16
"""Logged lines that are kept of an ended render."""
RECENT = 64
"""Ended renders whose channels are kept, for those who asked just before the end."""


@dataclass(frozen=True)
class AttemptBegan:
    """An executor begins with the render; what was said before came to nothing. ``attempt`` counts from 1."""

    executor: str
    attempt: int


News = Message | AttemptBegan
"""What a follower hears."""


class Backlog:
    """Messages that wait to be read, thinned when there are many."""

    def __init__(self, messages: Iterable[News] = (), *, room: int = ROOM, most: int = MOST) -> None:
        self._messages = deque(messages)
        self._room = room
        self._most = most

    def append(self, message: News) -> None:
        """Add a message; past the bound it takes the place of a progress that it makes stale."""
        if len(self._messages) >= self._room and _makes_stale(message, self._messages[-1]):
            self._messages.pop()
        elif len(self._messages) >= self._most:
            self._messages.popleft()
        self._messages.append(message)

    def take(self) -> News | None:
        """Remove and return the oldest message, or return None when there is none."""
        return self._messages.popleft() if self._messages else None

    def copy(self) -> Backlog:
        """Return a backlog of the same messages that is read by itself."""
        return Backlog(self._messages, room=self._room, most=self._most)

    def clear(self) -> None:
        """Forget all messages."""
        self._messages.clear()

    def shorten(self) -> None:
        """Forget all but the last messages, as many as wait before progress is thinned, and few of them long ones."""
        kept: deque[News] = deque()
        lines = 0
        while self._messages and len(kept) < self._room:
            message = self._messages.pop()
            lines += isinstance(message, Logged)
            if lines <= LINES or not isinstance(message, Logged):
                kept.appendleft(message)
        self._messages = kept


def _makes_stale(newer: News, older: News) -> bool:
    if not isinstance(older, Progressed):
        return False
    if 0 < older.progress.animation_percent < 100:
        return True
    return isinstance(newer, Progressed) and _point(newer) == _point(older)


def _point(message: Progressed) -> tuple[int, int]:
    return message.progress.animation_index, message.progress.animation_percent


class Channel:
    """Everything that is live about one render.

    ``is_entered`` is unset while the render is not in the table yet. ``progress`` is fresher than the table's.
    ``lost`` is set when the end could not be written to the table,
    ``last`` when the service ends before the render does: the render as the table then has it.
    """

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.is_entered = True
        self.progress: RenderProgress | None = None
        self.lost: SceneError | None = None
        self.last: Render | None = None
        self._history = Backlog()
        self._followers: dict[Backlog, asyncio.Event] = {}

    def begin(self, attempt: AttemptBegan) -> None:
        """Say that an attempt begins; what the one before said is not told to those who come from now on."""
        self._history.clear()
        self.progress = None
        self.publish(attempt)

    def publish(self, message: News) -> None:
        """Hand a message to all followers, without waiting for any."""
        self._history.append(message)
        for backlog, news in self._followers.items():
            backlog.append(message)
            news.set()

    def close(self) -> None:
        """Let the followers go once they have read what waits for them; who comes later hears the last of it."""
        self._history.shorten()
        self.ended.set()
        for news in self._followers.values():
            news.set()

    async def follow(self) -> AsyncGenerator[News, None]:
        """Yield what the present attempt has said, then what is said as it is said, until the end."""
        backlog, news = self._history.copy(), asyncio.Event()
        self._followers[backlog] = news
        try:
            while True:
                news.clear()
                while (message := backlog.take()) is not None:
                    yield message
                if self.ended.is_set():
                    return
                await news.wait()
        finally:
            del self._followers[backlog]


class Live:
    """The channels of all renders that have not ended, and of the last few that have."""

    def __init__(self) -> None:
        self._open: dict[str, Channel] = {}
        self._recent: OrderedDict[str, Channel] = OrderedDict()

    def open(self, render_id: str) -> Channel:
        """Return the render's channel, which is made if need be."""
        return self._open.setdefault(render_id, Channel())

    def get(self, render_id: str) -> Channel | None:
        """Return the render's channel; None means that it has ended, or that there is no such render."""
        return self._open.get(render_id) or self._recent.get(render_id)

    def close(self, render_id: str) -> None:
        """Say that the render has ended, after its end was written to the table."""
        channel = self._open.pop(render_id, None)
        if channel is not None:
            channel.close()
            self._recent[render_id] = channel
            while len(self._recent) > RECENT:
                self._recent.popitem(last=False)

    def discard(self, render_id: str) -> None:
        """Forget a render that was not admitted."""
        self._open.pop(render_id, None)

    def unended(self) -> dict[str, Channel]:
        """Return the channels of the renders that have not ended, by the renders' ids."""
        return dict(self._open)
