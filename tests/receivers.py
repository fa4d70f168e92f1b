"""Receivers of webhooks, on real sockets, that do what a test has them do: answer, hang, lie, hang up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Received:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


Act = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answers(raw: bytes) -> Act:
    """Return what answers with these bytes and closes the connection."""

    async def act(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return act


def status(code: int, *, body: bytes = b"", **headers: str) -> bytes:
    """Return an answer with this status."""
    lines = [f"HTTP/1.1 {code} Whatever", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def hangs(_: Received, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side hangs up."""
    await writer.wait_closed()


def endlessly(head: bytes, part: bytes, *, pause: float = 0.0) -> Act:
    """Return what begins with ``head`` and then says ``part`` again and again, until the other side hangs up."""

    async def act(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)

    return act


@dataclass
class Receiver:
    """A running receiver. What it does for each request is next in ``acts``; the last one goes on for ever."""

    host: str
    port: int = 0
    acts: list[Act] = field(default_factory=lambda: [answers(OK)])
    got: list[Received] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/hooks"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection."""
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.splitlines()
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines if each)}
            body = await reader.readexactly(int(headers["content-length"]))
            received = Received(line, headers, body)
            self.got.append(received)
            act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
            await act(received, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side is gone, which some tests are about
        finally:
            self.open -= 1
            writer.close()


@contextlib.asynccontextmanager
async def receiving(*acts: Act, host: str = "127.0.0.1", port: int = 0, **options: object) -> AsyncIterator[Receiver]:
    """Run a receiver. ``options`` are those of ``asyncio.start_server``, such as ``ssl``."""
    receiver = Receiver(host)
    if acts:
        receiver.acts = list(acts)
    handling: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        handling.add(task)
        task.add_done_callback(handling.discard)

    server = await asyncio.start_server(connected, host, port, **options)  # type: ignore[arg-type]
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in handling:
            task.cancel()
        if handling:
            await asyncio.wait(handling)
