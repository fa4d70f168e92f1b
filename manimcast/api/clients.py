"""Clients that wait, and clients that leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from manimcast.spec import JsonObject

T = TypeVar("T")


class ClientGone(Exception):  # noqa: N818 - it reads as what happened
    """The client closed its connection before it had an answer."""


async def until_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; cancel it and raise :class:`ClientGone` if the client leaves first.

    The request's body must have been read.
    """
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_leaves(receive))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        watch.cancel()
        task.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class JsonLines(Response):
    """One JSON object a line (``application/x-ndjson``), each sent as soon as it is there.

    ``left`` is called when the client leaves before the last line; the generator is closed by then.
    """

    media_type = "application/x-ndjson"

    def __init__(
        self,
        lines: AsyncGenerator[JsonObject, None],
        *,
        left: Callable[[], Awaitable[None]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._lines = lines
        self._left = left
        self.status_code = 200
        self.background = None
        # Without these a proxy may collect lines before it passes them on.
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the head, then every line, then the end."""
        try:
            await until_gone(receive, self._send(send))
        except ClientGone:
            await self._left()

    async def _send(self, send: Send) -> None:
        async with aclosing(self._lines):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for line in self._lines:
                await send({"type": "http.response.body", "body": to_json(line) + b"\n", "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
