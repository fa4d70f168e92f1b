"""Looks at the table for what has happened: to the renders that are listened to here, and to those that run here.

One statement asks for all of them, a few times a second, whoever runs them. What this process writes itself is looked
at at once. A topic that has missed something is brought up to date with the events since.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection

from manimcast.database import DatabaseError
from manimcast.renders.attempt import Attempt, Stop
from manimcast.renders.feed import Feed
from manimcast.renders.model import RenderStatus
from manimcast.renders.rows import State
from manimcast.renders.store import RenderStore
from manimcast.renders.worker import Worker

NOT_OURS = {RenderStatus.queued, RenderStatus.canceled}
"""States that no attempt brings a render into itself, unless it ends with that."""
INTERVAL = 0.4
"""Seconds between two looks at everything."""

logger = logging.getLogger(__name__)


class Watch:
    """Keeps ``feed`` up to date, and tells the attempts of ``worker`` what others have done to their renders."""

    def __init__(self, store: RenderStore, feed: Feed, worker: Worker) -> None:
        self._store = store
        self._feed = feed
        self._worker = worker

    async def run(self) -> None:
        """Look again and again, until canceled."""
        looked = 0.0
        while True:
            nudged = await self._feed.due(max(0.0, looked + INTERVAL - time.monotonic()))
            is_time = time.monotonic() - looked >= INTERVAL
            looked = time.monotonic() if is_time else looked
            try:
                await self.look(None if is_time else nudged)
            except DatabaseError as error:
                logger.warning("what becomes of renders is not known: %s", error)
                await asyncio.sleep(INTERVAL)
            except Exception:  # it must go on, or nobody here hears of anything any more
                logger.exception("what becomes of renders is not known")
                await asyncio.sleep(INTERVAL)

    async def look(self, render_ids: Collection[str] | None = None) -> None:
        """Tell what has changed since the last look, of all renders or of these."""
        topics, here = self._feed.topics(), self._worker.running()
        if render_ids is not None:
            topics = {name: topic for name, topic in topics.items() if name in render_ids}
            here = {name: attempt for name, attempt in here.items() if name in render_ids}
        wanted = topics.keys() | here.keys()
        if not wanted:
            return
        states = await self._store.states(wanted)
        # What has begun or ended since is for the next look: what was read may be older.
        still_here = self._worker.running()
        for render_id, attempt in here.items():
            state = states.get(render_id)
            if still_here.get(render_id) is attempt and not _is_its(state, attempt):
                attempt.stop(Stop.canceled if state is None or state.status.ended else Stop.lost)
        await self._feed.update(topics, states)


def _is_its(state: State | None, attempt: Attempt) -> bool:
    """Tell whether a render is where one of its attempts has brought it."""
    return state is not None and state.attempt == attempt.number and state.status not in NOT_OURS
