"""Render, and run dry, in Modal's containers, unless it has failed too often."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

from manimcast import wire
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.confined import limits_of
from manimcast.executors.modal import tokens
from manimcast.executors.modal.breaker import Breaker
from manimcast.executors.modal.calls import TRANSFER_SECONDS, Calls
from manimcast.executors.modal.connection import Connection
from manimcast.executors.modal.faults import CallError, UnavailableError
from manimcast.executors.modal.health import Health
from manimcast.executors.modal.incoming import Incoming
from manimcast.executors.modal.parcels import Parcels
from manimcast.executors.modal.protocol import MARGIN, Call, render_memory
from manimcast.executors.modal.receive import Receiver
from manimcast.executors.modal.receive_inspection import InspectionReceiver
from manimcast.executors.price import Rate
from manimcast.executors.segments import Reuse
from manimcast.inspection import Inspection
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from manimcast.wire import Message

REMEMBERED = 200
"""Renders of which is remembered that they failed: one that breaks every container must not open the breaker."""

logger = logging.getLogger(__name__)


class ModalExecutor:
    """The executor that renders in containers on Modal."""

    name = "modal"
    is_here = False

    def __init__(self, settings: Settings) -> None:
        self.slots = settings.modal_max_containers
        self.tries = settings.modal_retries + 1
        self.overtime = 4 * settings.modal_connect_timeout + settings.modal_start_timeout + TRANSFER_SECONDS + 30
        self.rate = Rate(
            cores=settings.modal_cores,
            gib=settings.modal_memory / 1024,
            usd_core_second=settings.modal_price_core_second,
            usd_gib_second=settings.modal_price_gib_second,
            leaves_out="the container's start and idle time",
        )
        self._settings = settings
        self._limits = limits_of(settings).model_copy(
            update={"drawers": settings.modal_drawers, "memory": render_memory(settings.modal_memory) << 20}
        )
        self._connection = Connection(settings)
        self._breaker = Breaker(failures=settings.modal_breaker_failures, pause=settings.modal_breaker_pause)
        self._failed: deque[str] = deque(maxlen=REMEMBERED)
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._health = Health()
        self._parcels = Parcels.from_settings(settings)
        self._calls = Calls(self._connection, settings, self._health.learn)
        self._tokens = tokens.told(settings)

    async def start(self) -> None:
        """Begin to look the app up; returns at once."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Cancel what runs, and let go of Modal's client."""
        working = {task for task in (self._keeper, self._asking) if task is not None}
        for task in working:
            task.cancel()
        await self._calls.stop(working)
        await self._connection.close()

    def status(self) -> ExecutorStatus:
        """Tell, without asking Modal, whether a render would be sent there."""
        return ExecutorStatus(
            available=self._breaker.lets_through,
            reason=None if self._breaker.lets_through else self._breaker.last_error,
            details={
                "app": self._settings.modal_app_name,
                "environment": self._settings.modal_environment,
                "tokens": self._tokens,
                "breaker": self._breaker.told(),
                "modal_health": self._health.told,
                "sandbox": self._health.sandbox,
            },
        )

    def versions(self) -> Mapping[str, str] | None:
        """Return the fingerprint that a container told last; None before any did."""
        return self._health.fingerprint

    async def render(
        self,
        spec: RenderSpec,
        *,
        render_id: str,
        into: Path,
        timeout: float,
        reuse: Reuse | None = None,
        attached: Sequence[Attachment] = (),
    ) -> AsyncGenerator[Message, None]:
        """Render ``spec`` within ``timeout`` seconds; see :class:`~manimcast.executors.base.Executor`."""
        tag = {"tag": "MODAL", "render_id": render_id}
        logger.info("Starting video rendering with Modal", extra=tag)
        began = time.monotonic()
        parcel = self._parcels.of(spec, reuse, self.versions()) if self._parcels and reuse else None
        receiver = Receiver(spec, self._limits, into, parcel)
        call = Call(token="", spec=spec, limits=self._limits, timeout=self._seconds(timeout))
        if parcel is not None:
            kept, segments = await asyncio.to_thread(parcel.pack)
            call = call.model_copy(update={"kept": kept, "segments": segments})
        async with contextlib.aclosing(self._called(call, receiver, attached, name=render_id)) as messages:
            async for message in messages:
                yield message
        assert receiver.end is not None  # noqa: S101 - else this was left by an exception
        logger.info("Total processing time: %.2fs", time.monotonic() - began, extra=tag)
        yield receiver.end

    async def inspect(
        self, spec: RenderSpec, *, timeout: float, rate: Rate | None = None, attached: Sequence[Attachment] = ()
    ) -> Inspection:
        """Run the scenes of ``spec`` dry; see :class:`~manimcast.executors.inspection.Inspector`."""
        name = hashlib.sha256(spec.model_dump_json().encode("utf-8", "backslashreplace")).hexdigest()
        logger.info("Starting dry run with Modal", extra={"tag": "MODAL"})
        receiver = InspectionReceiver(rate or self.rate)
        call = Call(operation="inspect", token="", spec=spec, limits=self._limits, timeout=self._seconds(timeout))
        async with contextlib.aclosing(self._called(call, receiver, attached, name=name)) as messages:
            async for _ in messages:
                pass
        assert receiver.end is not None  # noqa: S101 - else this was left by an exception
        return Inspection(error=receiver.end.error) if isinstance(receiver.end, wire.Failed) else receiver.end

    def _seconds(self, timeout: float) -> float:
        """Return how long a container may take that should keep to ``timeout``."""
        return min(timeout, self._settings.modal_timeout - MARGIN)

    async def _called(
        self, call: Call, receiver: Incoming[Any], attached: Sequence[Attachment], *, name: str
    ) -> AsyncGenerator[Message, None]:
        """Have a container answer ``call``, and count by ``name`` whether that works; see :class:`Calls`."""
        try:
            contents = tuple([await asyncio.to_thread(one.read) for one in attached])
            whole = call.model_copy(update={"attached": contents})
            async with contextlib.aclosing(self._calls.answer(whole, receiver)) as messages:
                async for message in messages:
                    yield message
        except ExecutorError as error:
            self._note(error, name)
            raise
        self._breaker.succeeded()

    def _note(self, error: ExecutorError, render_id: str) -> None:
        """Count a failure, each render once."""
        if isinstance(error, CallError) and error.reconnect:
            self._connection.drop()
        if isinstance(error, UnavailableError) or render_id not in self._failed:
            self._failed.append(render_id)
            self._breaker.failed(str(error), at_once=isinstance(error, UnavailableError))
            if not isinstance(error, UnavailableError) and self._breaker.state == "open":
                pause = self._breaker.probe_due_in()
                logger.warning("Modal has failed too often and is left alone for %.0f s: %s", pause, error)
            self._changed.set()

    async def _keep(self) -> None:
        """Look the app up, ask once what a container can do, and look again whenever the breaker has opened."""
        await self._probe("Modal integration enabled and available")
        while True:
            if self._breaker.state == "open":
                await asyncio.sleep(self._breaker.probe_due_in())
                if self._breaker.lets_through:
                    continue  # a render that was under way has succeeded
                self._breaker.probe()
                self._connection.drop()  # what was looked up once proves nothing now
                await self._probe("Modal is available again")
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _probe(self, good_news: str) -> None:
        self._tokens = tokens.told(self._settings)
        try:
            await self._connection.session()
        except UnavailableError as error:
            known = self._breaker.last_error == str(error)
            self._breaker.failed(str(error), at_once=True)
            if not known:
                logger.warning("%s. Falling back to local rendering.", error.headline)
            return
        self._breaker.succeeded()
        logger.info(good_news)
        if self._health.told is None and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._health.ask(self._connection, self._settings.modal_start_timeout))
