"""Calls to containers, from when they are sent until nothing of them runs: heard within bounds, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.connection import Connection
from manimcast.executors.modal.faults import CallError, UnavailableError, of_call
from manimcast.executors.modal.incoming import Incoming, writes
from manimcast.executors.modal.protocol import Call
from manimcast.executors.modal.remote import RemoteCall, SilentError
from manimcast.settings import Settings
from manimcast.wire import Message

TRANSFER_SECONDS = 120.0
"""Seconds past a render's timeout that its files may take to arrive."""
SLOWEST_UPLOAD = 256 * 1024
"""Bytes a second that assets and segments go to Modal at least; a silence that is longer is one of Modal's."""
CANCEL_SECONDS = 10.0
"""Seconds that a call's cancellation is waited for. It is tried for longer, in the background."""
PARTING_SECONDS = 2.0
"""Seconds that is waited for what was given up."""

logger = logging.getLogger(__name__)


class Calls:
    """The calls of one executor.

    Parameters
    ----------
    connection
        The way to Modal.
    learn
        Is told what each container says of itself.
    """

    def __init__(self, connection: Connection, settings: Settings, learn: Callable[[Mapping[str, str]], None]) -> None:
        self._connection = connection
        self._settings = settings
        self._learn = learn
        self._calls: set[RemoteCall] = set()
        self._endings: set[asyncio.Task[None]] = set()

    async def stop(self, besides: set[asyncio.Task[None]]) -> None:
        """Cancel what runs, and wait for that and for ``besides``; what cannot be canceled in time is given up."""
        for call in tuple(self._calls):
            self._end(call)
        if besides or self._endings:
            await asyncio.wait(besides | self._endings, timeout=CANCEL_SECONDS)
        for ending in tuple(self._endings):
            ending.cancel()
        if self._endings:
            await asyncio.wait(self._endings, timeout=PARTING_SECONDS)

    async def answer(self, asked: Call, receiver: Incoming[Any]) -> AsyncGenerator[Message, None]:
        """Have a container do ``asked``, and yield what it says until ``receiver`` has its end.

        Raises :class:`~manimcast.executors.base.ExecutorError` when there is none, by Modal's or the container's fault.
        """
        call = await self._submitted(asked)
        patience = CANCEL_SECONDS
        try:
            async with contextlib.aclosing(self._heard(call, receiver, asked.timeout)) as messages:
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

    async def _submitted(self, asked: Call) -> RemoteCall:
        """Return a call that Modal has taken.

        It is sent once more when what was looked up some time ago is no longer good: the app may have been deployed
        anew, or the connection have been lost.
        """
        patience = self._settings.modal_connect_timeout + asked.carried / SLOWEST_UPLOAD
        for is_last in (False, True):
            session = await self._connection.session()
            call = RemoteCall(self._connection, session, asked)
            self._calls.add(call)
            try:
                await call.submitted(patience)
            except SilentError:
                self._end(call)
                self._connection.drop(session)
                raise UnavailableError(f"Modal did not take the call within {patience:g} s") from None
            except Exception as error:
                self._end(call)
                failed = of_call(error, asked.timeout)
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

    async def _heard(self, call: RemoteCall, receiver: Incoming[Any], seconds: float) -> AsyncGenerator[Message, None]:
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
                        self._learn(receiver.opened.facts)
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

    def _silent(self, receiver: Incoming[Any]) -> ExecutorError:
        if receiver.opened is None:
            seconds = self._settings.modal_start_timeout
            return ExecutorError(f"no container began within {seconds:g} s", again=False)
        return ExecutorError(f"nothing was heard for {self._settings.modal_silence_timeout:g} s")
