"""Bytes on their way to a child, on both event loops: the service's own, and the one that tests use."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
import uvloop

from manimcast import wire
from manimcast.sandbox.host.launch import Child, ChildGoneError

CONTENT = bytes(range(256)) * 20_000


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_file_is_passed_on_whole(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    ours, theirs = socket.socketpair()
    received = bytearray()

    def listen() -> None:
        with theirs:
            while data := theirs.recv(1 << 16):
                received.extend(data)

    async def send() -> None:
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        child = Child(cast("Any", None), reader, writer, -1)
        with tempfile.TemporaryFile() as file:
            file.write(CONTENT)
            file.flush()
            await child.pass_on(file, 3, len(CONTENT) - 5)
            with pytest.raises(OSError, match="shorter than it was said to be"):
                await child.pass_on(file, 0, len(CONTENT) + 1)
        writer.close()
        await writer.wait_closed()

    listener = threading.Thread(target=listen)
    listener.start()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(send())
    listener.join()
    assert bytes(received) == CONTENT[3:-2] + CONTENT


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_child_that_is_gone_is_told(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def send() -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        theirs.close()
        with tempfile.TemporaryFile() as file:
            file.write(CONTENT)
            file.flush()
            with pytest.raises(ConnectionError):
                await Child(cast("Any", None), reader, writer, -1).pass_on(file, 0, len(CONTENT))

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(send())


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_it_said_before_it_went_is_heard_and_other_connections_are_not_its(
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """A child that refuses what it is given says why and goes, which the one who gives it notices first."""
    words = wire.encode(wire.Hello()) + wire.encode(wire.FormatDone(made=False))

    async def hear(greet: Callable[[Child], Coroutine[Any, Any, None]]) -> wire.FormatDone | None:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(words)
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            child = Child(cast("Any", None), reader, writer, -1)
            try:
                return await child.only_answer(wire.parse_from_format, greeted_with=lambda: greet(child))
            finally:
                writer.close()

    async def gone(_: Child) -> None:
        raise ChildGoneError("broken pipe")

    async def elsewhere(_: Child) -> None:
        raise ConnectionResetError("a server")

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(hear(gone)) == wire.FormatDone(made=False)
        with pytest.raises(ConnectionResetError, match="a server"):
            runner.run(hear(elsewhere))
