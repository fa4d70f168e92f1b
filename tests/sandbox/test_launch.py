"""Bytes on their way to a child, on both event loops: the service's own, and the one that tests use."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvloop

from manimcast.sandbox.host.launch import Child

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
