"""Dry runs: a bounded share of the machine beside the renders, so that nobody floods it with what costs nothing.

They happen on this machine as long as it can run scenes, also for renders that would go elsewhere: that is soonest, and
costs nothing. ``INSPECT_SLOTS`` run at once, ``QUEUE_LIMIT`` more may wait. Nothing of them is in the table of
renders: whoever asked waits for the answer, and when they leave, the run ends.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence

from manimcast.executors.attachment import Attachment
from manimcast.executors.base import Executor, ExecutorError
from manimcast.executors.inspection import Inspector
from manimcast.executors.policy import AUTO
from manimcast.executors.price import Rate
from manimcast.inspection import Inspection
from manimcast.renders.errors import NoExecutor, QueueFull
from manimcast.settings import Settings
from manimcast.spec import RenderSpec

TYPICAL_INSPECTION = 1.0
"""Seconds that a dry run is taken to need while none has been seen."""


class Inspections:
    """The dry runs of one service."""

    def __init__(self, settings: Settings, executors: Sequence[Executor]) -> None:
        self._settings = settings
        self._executors = executors
        self._free = asyncio.Semaphore(settings.inspections)
        self._waiting = 0
        self._recent: deque[float] = deque(maxlen=20)

    async def inspect(
        self, spec: RenderSpec, *, executor: str = AUTO, attached: Sequence[Attachment] = ()
    ) -> Inspection:
        """Run the scenes of ``spec``, whose assets are ``attached``, dry and return what they come to.

        ``executor`` is where they would be rendered, which decides the price, and that they go nowhere else, but to
        this machine. Raises :class:`NoExecutor` when dry runs are not possible now, and :class:`QueueFull` when too
        many wait. Cancelling it ends the run.
        """
        self._inspectors(executor)  # before anybody waits for nothing
        if self._free.locked() and self._waiting >= self._settings.queue_limit:
            raise QueueFull(self._retry_after())
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        began = time.monotonic()
        try:
            return await self._run(spec, executor, attached)
        finally:
            self._recent.append(time.monotonic() - began)
            self._free.release()

    async def _run(self, spec: RenderSpec, asked: str, attached: Sequence[Attachment]) -> Inspection:
        limit = self._settings.inspect_timeout
        timeout = min(spec.timeout or limit, limit)
        rate = self._rate(asked)
        failures: list[str] = []
        for inspector in self._inspectors(asked):
            for _ in range(inspector.tries):
                try:
                    return await inspector.inspect(spec, timeout=timeout, rate=rate, attached=attached)
                except ExecutorError as error:
                    failure = f"{inspector.name}: {error}"
                    if not error.again:
                        break
            failures.append(failure)
        raise NoExecutor(f"the dry run failed: {'; '.join(failures)}")

    def _inspectors(self, asked: str) -> list[Inspector]:
        """Return the executors that can run scenes dry now, this machine first, or raise :class:`NoExecutor`."""
        able = [one for one in self._executors if isinstance(one, Inspector)]
        able = [one for one in able if one.is_here or asked in {AUTO, one.name}]
        able.sort(key=lambda executor: not executor.is_here)
        if found := [executor for executor in able if executor.status().available]:
            return found
        reasons = "; ".join(f"{executor.name}: {executor.status().reason or 'not available'}" for executor in able)
        raise NoExecutor(
            f"no dry run is possible: {reasons}" if reasons else "no executor of this service can run scenes dry"
        )

    def _rate(self, asked: str) -> Rate:
        """Return the prices of where a render would run."""
        named = [one for one in self._executors if asked in {AUTO, one.name}] or list(self._executors)
        return next((one for one in named if one.status().available), named[0]).rate

    def _retry_after(self) -> float:
        average = sum(self._recent) / len(self._recent) if self._recent else TYPICAL_INSPECTION
        return float(min(300, max(1, math.ceil(average * self._waiting / self._settings.inspections))))
