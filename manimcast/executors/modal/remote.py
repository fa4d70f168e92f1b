"""One call to a container: send it, hear its items, and see to it that it ends when nobody wants it any more."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator
from typing import Any

from manimcast.executors.modal import hardening
from manimcast.executors.modal.connection import Connection, Session
from manimcast.executors.modal.protocol import STREAM, Call

WAITING_ITEMS = 16
"""Items that wait to be taken: of a MiB each at most."""
ID_SECONDS = 60.0
"""How long a call that is being submitted is waited for when it is to be canceled."""
PARTING_SECONDS = 12.0
"""How long the client may take to let go of a call; by itself it gives that up after ten seconds."""


class SilentError(Exception):
    """Nothing was heard for too long."""


class BrokenOffError(Exception):
    """The call was given up on this side."""


class RemoteCall:
    """A call of the deployed generator function. Modal's client runs in a thread of its own.

    Attributes
    ----------
    told_id
        What the container calls this call, for when Modal did not tell.
    is_over
        Whether the call has run to its end, so that there is nothing to cancel.
    """

    def __init__(
        self,
        connection: Connection,
        session: Session,
        call: Call,
    ) -> None:
        self._connection = connection
        self._session = session
        self._call = call.model_copy(update={"token": uuid.uuid4().hex})
        self._items: asyncio.Queue[object] = asyncio.Queue(WAITING_ITEMS)
        self._known = asyncio.wrap_future(hardening.expect_call(self._call.token))
        connection.hold(session)
        self._pump = asyncio.create_task(self._listen())
        self._ending: asyncio.Task[None] | None = None
        self.told_id: str | None = None
        self.is_over = False

    async def submitted(self, seconds: float) -> None:
        """Wait until Modal has taken the call.

        Raises :class:`SilentError` when that takes longer than ``seconds``, and whatever Modal's client raises.
        """
        await self._taken(seconds)
        if self._known.done():
            return
        if not self._pump.done():
            raise SilentError
        item = await self._next(seconds)
        if isinstance(item, BaseException):
            raise item

    async def items(self, *, first: float, silence: float) -> AsyncGenerator[object, None]:
        """Yield what the container sends.

        Raises :class:`SilentError` when the first item takes longer than ``first`` seconds or a later one longer
        than ``silence``, and whatever Modal's client raises.
        """
        patience = first
        while True:
            item = await self._next(patience)
            patience = silence
            if isinstance(item, BaseException):
                raise item  # a broken connection, perhaps: the call itself may run on
            if item is _END:
                self.is_over = True
                return
            yield item

    def end(self) -> asyncio.Task[None]:
        """End the call: if it may still run, cancel it, and end its container. The same task each time."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return self._ending

    async def _next(self, patience: float) -> object:
        if self._ending is not None:
            return BrokenOffError("the call was given up")  # also if more was heard meanwhile
        getting = asyncio.create_task(self._items.get())
        try:
            await asyncio.wait({getting, self._pump}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                await asyncio.sleep(0)  # for what the pump left behind
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
        if self._pump.done():
            return BrokenOffError("the call was given up")
        raise SilentError

    async def _end(self) -> None:
        try:
            if not self.is_over and (call_id := await self._id()):
                await self._connection.cancel(call_id, self._session)
        finally:
            hardening.forget_call(self._call.token)
            self._known.cancel()
            self._pump.cancel()
            await asyncio.wait({self._pump}, timeout=PARTING_SECONDS)
            self._connection.release(self._session)

    async def _id(self) -> str | None:
        """Return the call's id, waiting for it if it is just being submitted; None if it never was.

        What Modal told counts more than what the container told: by a wrong id, another call would be canceled.
        """
        await self._taken(ID_SECONDS)
        known = self._known.result() if self._known.done() and not self._known.cancelled() else None
        return known or self.told_id

    async def _taken(self, seconds: float) -> None:
        """Wait until it is known whether Modal has taken the call, at most ``seconds``."""
        either: set[asyncio.Future[Any]] = {self._known, self._pump}
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def _listen(self) -> None:
        try:
            stream: Any = self._session.functions[STREAM].remote_gen.aio(self._call.sent())
            async with contextlib.aclosing(stream):
                async for item in stream:
                    await self._items.put(item)
        except Exception as error:  # noqa: BLE001  whoever takes the next item must hear of it
            await self._items.put(error)
        else:
            await self._items.put(_END)


_END = object()
"""What is put in the queue after the last item."""
