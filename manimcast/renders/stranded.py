"""Renders that wait though nothing can run them: how long they may, and how they end then."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from manimcast.executors import policy
from manimcast.renders.fleet import Fleet
from manimcast.renders.model import RenderStatus
from manimcast.renders.outcomes import given_up
from manimcast.renders.rows import Waiting
from manimcast.renders.store import RenderStore

PATIENCE = 60.0
"""Seconds that a render waits in the queue while no executor that may run it is available."""

logger = logging.getLogger(__name__)


class Stranded:
    """Those that no service of ``fleet`` has been able to run, as far as one of them has seen."""

    def __init__(self, store: RenderStore, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self._since: dict[str, float] = {}

    def only(self, queue: Collection[Waiting]) -> None:
        """Forget those that are not in ``queue`` any more."""
        self._since = {one.id: self._since[one.id] for one in queue if one.id in self._since}

    def free(self, render_id: str) -> None:
        """Note that something can run the render."""
        self._since.pop(render_id, None)

    async def see(self, waiting: Waiting) -> None:
        """End a render that nothing here can run, if nobody else can, and has not been able to for long enough."""
        match self._fleet.choose(waiting.requested, waiting.faults):
            case policy.Use():
                self.free(waiting.id)
            case policy.GiveUp(reason=reason) if waiting.faults:
                await self._give_up(waiting.id, reason)
            case policy.Wait(reason=reason) | policy.GiveUp(reason=reason):
                if time.monotonic() - self._since.setdefault(waiting.id, time.monotonic()) >= PATIENCE:
                    await self._give_up(waiting.id, reason)

    async def _give_up(self, render_id: str, reason: str) -> None:
        """End a render that waits and that nothing can run."""
        if await self._store.endings.end(render_id, status=RenderStatus.queued, outcome=given_up(reason)):
            logger.error("Nothing can render it: %s", reason, extra={"render_id": render_id})
