"""Render in Modal's containers: call the deployed app, pass on what it says, take the files, and let nothing run on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from manimcast import wire
from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.confined import limits_of
from manimcast.executors.modal import tokens
from manimcast.executors.modal.breaker import Breaker
from manimcast.executors.modal.connection import Connection
from manimcast.executors.modal.faults import UnavailableError, of_call
from manimcast.executors.modal.protocol import HEALTH, MARGIN, Opened
from manimcast.executors.modal.receive import Receiver
from manimcast.executors.modal.remote import PARTING_SECONDS, RemoteCall, SilentError
from manimcast.executors.price import Rate
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from manimcast.wire import Message

TRANSFER_SECONDS = 120.0
"""Seconds past a render's timeout that its files may take to arrive."""
CANCEL_SECONDS = 10.0
"""Seconds that a call's cancellation is waited for. It is tried for longer, in the background."""
REMEMBERED = 200
"""Renders of which is remembered that they failed: one that breaks every container must not open the breaker."""

logger = logging.getLogger(__name__)


class ModalExecutor:
    """The executor that renders in containers on Modal."""

    name = "modal"

    def __init__(self, settings: Settings) -> None:
        self.slots = settings.modal_max_containers
        self.tries = settings.modal_retries + 1
        self.overtime = settings.modal_connect_timeout + settings.modal_start_timeout + TRANSFER_SECONDS + 30
        self.rate = Rate(
            cores=settings.modal_cores,
            gib=settings.modal_memory / 1024,
            usd_core_second=settings.modal_price_core_second,
            usd_gib_second=settings.modal_price_gib_second,
            leaves_out="the container's start and idle time",
        )
        self._settings = settings
        self._limits = limits_of(settings)
        self._connection = Connection(settings)
        self._breaker = Breaker(failures=settings.modal_breaker_failures, pause=settings.modal_breaker_pause)
        self._failed: deque[str] = deque(maxlen=REMEMBERED)
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._health: dict[str, Any] | None = None
        self._facts: dict[str, str] = {}

    async def start(self) -> None:
        """Begin to look the app up; returns at once."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Cancel what runs, and let go of Modal's client."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        if self._endings:
            await asyncio.wait(self._endings, timeout=CANCEL_SECONDS)
        for ending in self._endings:
            ending.cancel()
        await self._connection.close()

    def status(self) -> ExecutorStatus:
        """Tell, without asking Modal, whether a render would be sent there."""
        layers = [layer for layer in self._facts.get("layers", "").split(",") if layer]
        return ExecutorStatus(
            available=self._breaker.lets_through,
            reason=None if self._breaker.lets_through else self._breaker.last_error,
            details={
                "app": self._settings.modal_app_name,
                "environment": self._settings.modal_environment,
                "tokens": tokens.told(self._settings),
                "breaker": self._breaker.told(),
                "modal_health": self._health,
                "sandbox": {"tier": "container", "layers": layers},
            },
        )

    async def render(
        self, spec: RenderSpec, *, render_id: str, into: Path, timeout: float
    ) -> AsyncGenerator[Message, None]:
        """Render ``spec`` within ``timeout`` seconds; see :class:`~manimcast.executors.base.Executor`."""
        tag = {"tag": "MODAL", "render_id": render_id}
        logger.info("Starting video rendering with Modal", extra=tag)
        began = time.monotonic()
        try:
            async with contextlib.aclosing(self._render(spec, into, timeout)) as messages:
                async for message in messages:
                    if isinstance(message, wire.Terminal):
                        self._succeeded()
                        logger.info("Total processing time: %.2fs", time.monotonic() - began, extra=tag)
                    yield message
        except ExecutorError as error:
            self._note(error, render_id)
            raise

    async def _render(self, spec: RenderSpec, into: Path, timeout: float) -> AsyncGenerator[Message, None]:
        function = await self._connection.function()
        seconds = min(timeout, self._settings.modal_timeout - MARGIN)
        call = RemoteCall(self._connection, spec, self._limits, seconds)
        receiver = Receiver(spec, self._limits, into)
        patience = CANCEL_SECONDS
        try:
            call.submit(function)
            async with contextlib.aclosing(self._heard(call, receiver, seconds)) as messages:
                async for message in messages:
                    yield message
        except ExecutorError:
            patience = 0  # the next attempt need not wait
            raise
        finally:
            receiver.close()
            call.is_over = call.is_over or receiver.is_complete
            await self._ended(call, receiver, patience)
        assert receiver.end is not None  # noqa: S101 - else this was left by an exception
        yield receiver.end

    async def _ended(self, call: RemoteCall, receiver: Receiver, patience: float) -> None:
        """End the call, whatever happens here meanwhile: one that is not canceled runs on, and is paid for."""
        ending = asyncio.create_task(call.end(receiver.opened.call_id if receiver.opened else None))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        await asyncio.wait({ending}, timeout=PARTING_SECONDS if call.is_over else patience)

    async def _heard(self, call: RemoteCall, receiver: Receiver, seconds: float) -> AsyncGenerator[Message, None]:
        """Yield what the render says until its end is complete, or raise :class:`ExecutorError`."""
        settings = self._settings
        items = call.items(first=settings.modal_start_timeout, silence=settings.modal_silence_timeout)
        deadline: float | None = None
        try:
            async with contextlib.aclosing(items):
                async for item in items:
                    for message in receiver.take(item):
                        yield message
                    if receiver.opened is not None and deadline is None:
                        deadline = time.monotonic() + seconds + TRANSFER_SECONDS
                        self._learn(receiver.opened)
                    if receiver.is_complete or receiver.is_settled:
                        return
                    if deadline is not None and time.monotonic() > deadline:
                        raise ExecutorError("the container did not keep to the render's timeout")
        except Exception as error:
            if isinstance(receiver.end, wire.Failed):
                return  # its last words are missing, but the render has ended
            if isinstance(error, SilentError):
                raise self._silent(receiver) from None
            verdict = of_call(error, seconds)
            if isinstance(verdict, ExecutorError):
                logger.debug("a call on Modal failed", exc_info=error)
                raise verdict from error
            receiver.end = verdict
            return
        raise ExecutorError("the container ended the call in the middle")

    def _silent(self, receiver: Receiver) -> ExecutorError:
        if receiver.opened is None:
            seconds = self._settings.modal_start_timeout
            return ExecutorError(f"no container began within {seconds:g} s", again=False)
        return ExecutorError(f"nothing was heard for {self._settings.modal_silence_timeout:g} s")

    def _learn(self, opened: Opened) -> None:
        """Keep what a container says of itself, for health."""
        self._facts = dict(opened.facts)
        codec = self._facts.get("libavcodec")
        self._health = {
            "status": "healthy",
            "manim_version": self._facts.get("manim"),
            "numpy_version": self._facts.get("numpy"),
            "ffmpeg_available": codec is not None,
            "ffmpeg_version": codec and f"libavcodec {codec}",
            "latex_version": self._facts.get("latex"),
            "timestamp": datetime.now(UTC).isoformat(),
        }

    def _succeeded(self) -> None:
        self._breaker.succeeded()

    def _note(self, error: ExecutorError, render_id: str) -> None:
        """Count a failure, each render once."""
        if not isinstance(error, UnavailableError):
            self._connection.drop()  # the app may have been deployed anew, or the connection be broken
        if isinstance(error, UnavailableError) or render_id not in self._failed:
            self._failed.append(render_id)
            self._breaker.failed(str(error), at_once=isinstance(error, UnavailableError))
            self._changed.set()

    async def _keep(self) -> None:
        """Look the app up, ask once what a container can do, and look again whenever the breaker has opened."""
        await self._probe("Modal integration enabled and available")
        while True:
            if self._breaker.state == "open":
                await asyncio.sleep(self._breaker.probe_due_in())
                self._breaker.probe()
                await self._probe("Modal is available again")
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _probe(self, good_news: str) -> None:
        try:
            await self._connection.function()
        except UnavailableError as error:
            known = self._breaker.last_error == str(error)
            self._breaker.failed(str(error), at_once=True)
            if not known:
                logger.warning("%s. Falling back to local rendering.", error.headline)
            return
        self._breaker.succeeded()
        logger.info(good_news)
        if self._health is None:
            await self._ask_health()

    async def _ask_health(self) -> None:
        """Start one container to see what it can do; that it fails only keeps health from telling."""
        try:
            function = await self._connection.function(HEALTH)
            async with asyncio.timeout(self._settings.modal_start_timeout):
                told = await function.remote.aio()
        except Exception as error:  # noqa: BLE001  renders will tell what is wrong
            logger.warning("Modal's health check failed: %s", of_call(error, 0))
            return
        if self._health is None and isinstance(told, dict):
            self._take_health(told)

    def _take_health(self, told: dict[str, Any]) -> None:
        """Keep the answer of a health check, as text of limited length: a container wrote it."""
        facts = told.get("facts")
        if isinstance(facts, dict):
            self._facts = {str(name)[:60]: str(value)[:1000] for name, value in list(facts.items())[:40]}
        names = (
            "status", "manim_version", "numpy_version", "ffmpeg_available", "ffmpeg_version", "latex_version",
            "timestamp", "error",
        )  # fmt: skip
        self._health = {
            name: value if isinstance(value := told[name], bool) or value is None else str(value)[:1000]
            for name in names
            if name in told
        }
