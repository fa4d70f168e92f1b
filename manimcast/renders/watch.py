"""Looks at the table for what other services do: to the renders followed here, and to those that run here.

What runs in this process is heard of at once (:mod:`manimcast.renders.live`). Of everything else that is followed, the
table is asked, a few times a second and with one statement for all, and what has changed is told the same way.
"""

from __future__ import annotations

import asyncio
import logging

from manimcast.database import DatabaseError
from manimcast.renders.attempt import Attempt, Stop
from manimcast.renders.live import AttemptBegan, Channel, Live
from manimcast.renders.model import RenderProgress, RenderStatus
from manimcast.renders.rows import State
from manimcast.renders.store import RenderStore
from manimcast.renders.worker import Worker
from manimcast.spec import Progress
from manimcast.wire import Progressed

NOT_OURS = {RenderStatus.queued, RenderStatus.canceled}
"""States that no attempt brings a render into itself, unless it ends with that."""
INTERVAL = 0.4
"""Seconds between two looks at the table."""

logger = logging.getLogger(__name__)


class Watch:
    """Keeps the channels of ``live`` fed whose renders ``worker`` does not run, and tells it what became of those."""

    def __init__(self, store: RenderStore, live: Live, worker: Worker) -> None:
        self._worker = worker
        self._store = store
        self._live = live
        self._told: dict[str, State] = {}

    async def run(self) -> None:
        """Look again and again, until canceled."""
        while True:
            try:
                await self.look()
            except DatabaseError as error:
                logger.warning("what other services render is not known: %s", error)
            await asyncio.sleep(INTERVAL)

    async def look(self) -> None:
        """Tell what has changed since the last look."""
        before = {name: channel for name, channel in self._live.unended().items() if channel.is_entered}
        here = self._worker.running()
        self._told = {render_id: told for render_id, told in self._told.items() if render_id in before}
        states = await self._store.states(before.keys()) if before else {}
        # What has begun or ended since is for the next look: what was read may be older.
        now, still_here = self._live.unended(), self._worker.running()
        for render_id, channel in before.items():
            state, attempt = states.get(render_id), here.get(render_id)
            if now.get(render_id) is not channel or still_here.get(render_id) is not attempt:
                continue
            if attempt is not None and _is_its(state, attempt):
                continue
            if attempt is not None:
                attempt.stop(Stop.canceled if state is None or state.status.ended else Stop.lost)
            self._tell(render_id, channel, state)

    def _tell(self, render_id: str, channel: Channel, state: State | None) -> None:
        if state is None or (state.status.ended and not state.is_live):
            self._live.close(render_id)
            return
        before = self._told.get(render_id)
        self._told[render_id] = state
        if state.status is not RenderStatus.running or state.owner == self._worker.owner:
            return
        if before is None or before.attempt != state.attempt or before.status is not RenderStatus.running:
            channel.begin(AttemptBegan(state.executor or "", state.attempt))
            before = None
        if state.progress is not None and (before is None or before.progress != state.progress):
            channel.progress = state.progress
            channel.publish(Progressed(progress=_plain(state.progress)))


def _is_its(state: State | None, attempt: Attempt) -> bool:
    """Tell whether a render is where one of its attempts has brought it."""
    return state is not None and state.attempt == attempt.number and state.status not in NOT_OURS


def _plain(progress: RenderProgress) -> Progress:
    return Progress.model_validate(progress.model_dump(exclude={"eta_seconds"}))
