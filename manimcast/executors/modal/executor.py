"""Render in Modal's containers: call the deployed app, pass on what it says, take the files, and let nothing run on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from manimcast import wire
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.confined import limits_of
from manimcast.executors.modal import tokens
from manimcast.executors.modal.breaker import Breaker
from manimcast.executors.modal.connection import Connection
from manimcast.executors.modal.faults import CallError, UnavailableError, of_call
from manimcast.executors.modal.health import Health
from manimcast.executors.modal.protocol import MARGIN
from manimcast.executors.modal.receive import Receiver, writes
from manimcast.executors.modal.remote import RemoteCall, SilentError
from manimcast.executors.price import Rate
from manimcast.executors.segments import Reuse
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from manimcast.wire import Message

TRANSFER_SECONDS = 120.0
"""Seconds past a render's timeout that its files may take to arrive."""
CANCEL_SECONDS = 10.0
"""Seconds that a call's cancellation is waited for. It is tried for longer, in the background."""
PARTING_SECONDS = 2.0
"""Seconds that is waited for what was given up."""
REMEMBERED = 200
"""Renders of which is remembered that they failed: one that breaks every container must not open the breaker."""

logger = logging.getLogger(__name__)


class ModalExecutor:
    """The executor that renders in containers on Modal."""

    name = "modal"

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
        self._limits = limits_of(settings).model_copy(update={"drawers": settings.modal_drawers})
        self._connection = Connection(settings)
        self._breaker = Breaker(failures=settings.modal_breaker_failures, pause=settings.modal_breaker_pause)
        self._failed: deque[str] = deque(maxlen=REMEMBERED)
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._calls: set[RemoteCall] = set()
        self._endings: set[asyncio.Task[None]] = set()
        self._health = Health()
        self._tokens = tokens.told(settings)

    async def start(self) -> None:
        """Begin to look the app up; returns at once."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Cancel what runs, and let go of Modal's client."""
        working = {task for task in (self._keeper, self._asking) if task is not None}
        for task in working:
            task.cancel()
        for call in tuple(self._calls):
            self._end(call)
        if working or self._endings:
            await asyncio.wait(working | self._endings, timeout=CANCEL_SECONDS)
        for ending in tuple(self._endings):
            ending.cancel()
        if self._endings:
            await asyncio.wait(self._endings, timeout=PARTING_SECONDS)
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
        reuse: Reuse | None = None,  # noqa: ARG002  a container lives for one render and keeps nothing
        attached: Sequence[Attachment] = (),
    ) -> AsyncGenerator[Message, None]:
        """Render ``spec`` within ``timeout`` seconds; see :class:`~manimcast.executors.base.Executor`."""
        tag = {"tag": "MODAL", "render_id": render_id}
        logger.info("Starting video rendering with Modal", extra=tag)
        began = time.monotonic()
        try:
            contents = tuple([await asyncio.to_thread(one.read) for one in attached])
            async with contextlib.aclosing(self._render(spec, into, timeout, contents)) as messages:
                async for message in messages:
                    if isinstance(message, wire.Terminal):
                        self._breaker.succeeded()
                        logger.info("Total processing time: %.2fs", time.monotonic() - began, extra=tag)
                    yield message
        except ExecutorError as error:
            self._note(error, render_id)
            raise

    async def _render(
        self, spec: RenderSpec, into: Path, timeout: float, attached: tuple[bytes, ...]
    ) -> AsyncGenerator[Message, None]:
        seconds = min(timeout, self._settings.modal_timeout - MARGIN)
        receiver = Receiver(spec, self._limits, into)
        call = await self._submitted(spec, seconds, attached)
        patience = CANCEL_SECONDS
        try:
            async with contextlib.aclosing(self._heard(call, receiver, seconds)) as messages:
                async for message in messages:
                    yield message
        except ExecutorError:
            patience = 0  # the next attempt need not wait
            raise
        finally:
            receiver.close()
            call.is_over = call.is_over or receiver.is_complete
            # Whatever happens here meanwhile: a call that is not canceled runs on, and is paid for.
            await asyncio.wait({self._end(call)}, timeout=0 if call.is_over else patience)
        assert receiver.end is not None  # noqa: S101 - else this was left by an exception
        yield receiver.end

    async def _submitted(self, spec: RenderSpec, seconds: float, attached: tuple[bytes, ...]) -> RemoteCall:
        """Return a call that Modal has taken.

        It is sent once more when what was looked up some time ago is no longer good: the app may have been deployed
        anew, or the connection have been lost.
        """
        for is_last in (False, True):
            session = await self._connection.session()
            call = RemoteCall(self._connection, session, spec, self._limits, seconds, attached=attached)
            self._calls.add(call)
            try:
                await call.submitted(self._settings.modal_connect_timeout)
            except SilentError:
                self._end(call)
                self._connection.drop(session)
                silence = self._settings.modal_connect_timeout
                raise UnavailableError(f"Modal did not take the call within {silence:g} s") from None
            except Exception as error:
                self._end(call)
                failed = of_call(error, seconds)
                if isinstance(failed, CallError) and failed.reconnect:
                    self._connection.drop(session)
                    if not is_last:
                        continue
                raise failed if isinstance(failed, ExecutorError) else CallError(failed.error.message) from error
            except BaseException:
                await asyncio.wait({self._end(call)}, timeout=CANCEL_SECONDS)
                raise
            return call
        raise AssertionError("the second time is the last")

    def _end(self, call: RemoteCall) -> asyncio.Task[None]:
        """End a call; return the task that does it, which may go on for long when Modal does not answer."""
        ending = call.end()
        self._calls.discard(call)
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return ending

    async def _heard(self, call: RemoteCall, receiver: Receiver, seconds: float) -> AsyncGenerator[Message, None]:
        """Yield what the render says until its end is complete, or raise :class:`ExecutorError`."""
        settings = self._settings
        items = call.items(first=settings.modal_start_timeout, silence=settings.modal_silence_timeout)
        deadline: float | None = None
        try:
            async with contextlib.aclosing(items):
                async for item in items:
                    messages = await asyncio.to_thread(receiver.take, item) if writes(item) else receiver.take(item)
                    for message in messages:
                        yield message
                    if receiver.opened is not None and deadline is None:
                        deadline = time.monotonic() + seconds + TRANSFER_SECONDS
                        call.told_id = receiver.opened.call_id
                        self._health.learn(receiver.opened.facts)
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
        if not isinstance(receiver.end, wire.Failed):
            raise ExecutorError("the container ended the call in the middle")

    def _silent(self, receiver: Receiver) -> ExecutorError:
        if receiver.opened is None:
            seconds = self._settings.modal_start_timeout
            return ExecutorError(f"no container began within {seconds:g} s", again=False)
        return ExecutorError(f"nothing was heard for {self._settings.modal_silence_timeout:g} s")

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
