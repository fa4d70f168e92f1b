"""One call to a container: send it, hear its items, and see to it that it ends when nobody wants it any more."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from typing import Any

from manimcast import wire
from manimcast.executors.modal import hardening
from manimcast.executors.modal.connection import Connection
from manimcast.executors.modal.protocol import Call
from manimcast.spec import RenderSpec

WAITING_ITEMS = 16
"""Items that wait to be taken: of a MiB each at most."""
ID_SECONDS = 5.0
"""How long a call that is being submitted is waited for when it is to be canceled."""
PARTING_SECONDS = 2.0


class SilentError(Exception):
    """Nothing was heard for too long."""


class RemoteCall:
    """A call of the deployed generator function. Modal's client runs in a thread of its own."""

    def __init__(self, connection: Connection, spec: RenderSpec, limits: wire.Limits, timeout: float) -> None:
        self._connection = connection
        token = uuid.uuid4().hex
        self._call = Call(token=token, spec=spec, limits=limits, timeout=timeout)
        self._items: asyncio.Queue[object] = asyncio.Queue(WAITING_ITEMS)
        self._id: Future[str | None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self.is_over = False

    def submit(self, function: Any) -> None:
        """Send the call."""
        self._id = hardening.expect_call(self._call.token)
        self._connection.users += 1
        self._pump = asyncio.create_task(self._listen(function))

    async def items(self, *, first: float, silence: float) -> AsyncGenerator[object, None]:
        """Yield what the container sends.

        Raises :class:`SilentError` when the first item takes longer than ``first`` seconds or a later one longer
        than ``silence``, and whatever Modal's client raises.
        """
        patience = first
        while True:
            try:
                item = await asyncio.wait_for(self._items.get(), patience)
            except TimeoutError:
                raise SilentError from None
            patience = silence
            if isinstance(item, BaseException):
                raise item  # a broken connection, perhaps: the call itself may run on
            if item is _END:
                self.is_over = True
                return
            yield item

    async def end(self, known_id: str | None) -> None:
        """End the call: if it may still run, cancel it, and end its container. ``known_id`` is what it told."""
        if self._pump is None:
            return
        try:
            if not self.is_over and (call_id := known_id or await self._call_id()):
                await self._connection.cancel(call_id)
        finally:
            hardening.forget_call(self._call.token)
            self._pump.cancel()
            await asyncio.wait({self._pump}, timeout=PARTING_SECONDS)
            self._connection.users -= 1

    async def _call_id(self) -> str | None:
        """Return the call's id, waiting for it if it is just being submitted; None if it never was."""
        assert self._id is not None  # noqa: S101 - set with the pump
        assert self._pump is not None  # noqa: S101
        known = asyncio.wrap_future(self._id)
        either: set[asyncio.Future[Any]] = {known, self._pump}
        await asyncio.wait(either, timeout=ID_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if known.done() and not known.cancelled():
            return known.result()
        known.cancel()
        return None

    async def _listen(self, function: Any) -> None:
        try:
            stream = function.remote_gen.aio(self._call.model_dump(mode="json"))
            async for item in stream:
                await self._items.put(item)
        except Exception as error:  # noqa: BLE001  whoever takes the next item must hear of it
            await self._items.put(error)
        else:
            await self._items.put(_END)


_END = object()
