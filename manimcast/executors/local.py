"""Render on this machine: children of one warm process draw, under a supervisor that keeps it alive."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from manimcast import wire
from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.confined import limits_of, render_in_child, zygote_limits_of
from manimcast.executors.price import Rate
from manimcast.sandbox.host.supervisor import Supervisor
from manimcast.sandbox.host.zygote import ZygoteError
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from manimcast.wire import Message


class LocalExecutor:
    """The executor that renders in processes of this machine."""

    name = "local"
    tries = 3
    overtime = 60.0

    def __init__(self, settings: Settings) -> None:
        self.slots = settings.slots
        self.rate = Rate(
            cores=len(os.sched_getaffinity(0)) / settings.slots,
            gib=settings.render_memory / 1024,
            usd_core_second=settings.local_price_core_second,
            usd_gib_second=settings.local_price_gib_second,
        )
        self._limits = limits_of(settings)
        self._supervisor = Supervisor(
            zygote_limits_of(settings), recycle=settings.recycle_renders, prepared_tex=settings.prepared_tex
        )

    async def start(self) -> None:
        """Begin to warm up; returns at once."""
        await self._supervisor.start()

    async def stop(self) -> None:
        """End every render and the warm process."""
        await self._supervisor.stop()

    def status(self) -> ExecutorStatus:
        """Tell whether a render could start, and what would keep it apart."""
        state = self._supervisor.state()
        return ExecutorStatus(
            available=state.ready or state.starting,
            reason=state.reason,
            details={
                "ready": state.ready,
                "restarts": state.restarts,
                "sandbox": {"tier": "basic" if state.layers else "none", "layers": list(state.layers)},
            },
        )

    async def render(
        self, spec: RenderSpec, *, render_id: str, into: Path, timeout: float
    ) -> AsyncGenerator[Message, None]:
        """Render ``spec`` within ``timeout`` seconds; see :class:`~manimcast.executors.base.Executor`."""
        try:
            zygote = await self._supervisor.zygote()
        except ZygoteError as error:
            raise ExecutorError(str(error)) from error
        job = wire.Job(spec=spec, limits=self._limits)
        async with aclosing(render_in_child(zygote, job, render_id=render_id, into=into, timeout=timeout)) as messages:
            async for message in messages:
                yield message
