"""How calls are taken: every call of Modal's protocol has an answer, if only that there is none.

A service class gives methods named like the calls, marked :func:`unary` or :func:`streaming`. The rest answers
UNIMPLEMENTED and is counted, so that a test can tell which call a client would have needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from grpclib import GRPCError, Status
from grpclib.config import Configuration
from grpclib.protocol import H2Protocol
from grpclib.server import Server, Stream
from modal_proto.api_grpc import ModalClientBase

from tests.modal_plane.faults import Failing, Silent

if TYPE_CHECKING:
    from tests.modal_plane.plane import Plane

CONFIGURATION = Configuration(http2_connection_window_size=64 << 20, http2_stream_window_size=64 << 20)
"""As wide as the client's own, so that large messages do not wait for each other."""

Handler = Callable[[Any, "Stream[Any, Any]"], Awaitable[None]]


def _missing(name: str) -> Handler:
    async def handler(self: Service, stream: Stream[Message, Message]) -> None:
        await stream.recv_message()
        self.plane.unimplemented[name] += 1
        raise GRPCError(Status.UNIMPLEMENTED, f"this control plane has no {name}")

    return handler


_Everything: Any = type(
    "_Everything",
    (ModalClientBase,),
    {name: _missing(name) for name in ModalClientBase.__abstractmethods__},
)


class Service(_Everything):  # type: ignore[misc]
    """Something that takes calls. Without more it has none, and lets everybody in."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane

    async def admit(self, name: str, stream: Stream[Any, Any]) -> None:
        """Count a call; raise, or wait, if it is not to be answered."""
        self.plane.requests[name] += 1

    async def hush(self, name: str) -> None:
        """Wait as long as the call is not to be answered."""


def unary(method: Callable[[Any, Any], Awaitable[Message | None]]) -> Handler:
    """Mark a method that takes one message and returns one; None stands for the empty one."""
    name = method.__name__

    async def handler(self: Service, stream: Stream[Any, Any]) -> None:
        request = await stream.recv_message()
        await self.admit(name, stream)
        answer = await method(self, request)
        await self.hush(name)
        await stream.send_message(Empty() if answer is None else answer)

    return handler


def streaming(method: Callable[[Any, Any], AsyncGenerator[Message, None]]) -> Handler:
    """Mark a method that takes one message and yields any number."""
    name = method.__name__

    async def handler(self: Service, stream: Stream[Any, Any]) -> None:
        request = await stream.recv_message()
        await self.admit(name, stream)
        async with contextlib.aclosing(method(self, request)) as messages:
            async for message in messages:
                await self.hush(name)
                await stream.send_message(message)

    return handler


class Guarded(Service):
    """What clients call: tokens are looked at, and faults strike."""

    async def admit(self, name: str, stream: Stream[Any, Any]) -> None:
        """Refuse a wrong token, and do what the faults say."""
        await super().admit(name, stream)
        await self.hush(name)
        if armed := self.plane.faults.calling(Failing, name):
            fault = armed.fault
            assert isinstance(fault, Failing)
            armed.struck += 1
            raise GRPCError(Status[fault.status], fault.message)
        sent: Mapping[str, object] = stream.metadata or {}
        if (sent.get("x-modal-token-id"), sent.get("x-modal-token-secret")) != self.plane.token:
            raise GRPCError(Status.UNAUTHENTICATED, "Token validation failed. Check your token ID and secret.")

    async def hush(self, name: str) -> None:
        """Wait until no fault asks for silence."""
        while armed := self.plane.faults.calling(Silent, name):
            armed.struck += 1
            await armed.cleared.wait()


class Port(Server):
    """A server whose connections can be cut and whose port can be closed and opened again."""

    def __init__(self, services: list[Service], **options: Any) -> None:
        super().__init__(services, **options)
        self.number = 0
        self._listener: asyncio.AbstractServer | None = None
        self._connections: weakref.WeakSet[H2Protocol] = weakref.WeakSet()

    async def open(self) -> None:
        """Listen, on the same port as before if there was one."""
        if self._listener is None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(self._protocol_factory, "127.0.0.1", self.number)
            self.number = self._listener.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse new connections, and cut those that there are."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Close every connection without a word."""
        for protocol in list(self._connections):
            connection = getattr(protocol, "connection", None)
            if connection is not None:
                connection._transport.abort()

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        self._connections.add(protocol)
        return protocol
