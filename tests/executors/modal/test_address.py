"""What is said of an address where Modal cannot be reached."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from manimcast.executors.modal.address import problem
from tests.modal_plane.running import nobody_listens


def test_somebody_listens() -> None:
    async def asked() -> str | None:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            return await problem(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert asyncio.run(asked()) is None


def test_nobody_listens() -> None:
    url = nobody_listens()
    assert asyncio.run(problem(url)) == f"{url.removeprefix('http://')} refuses connections"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name api.example cannot be resolved"),
        (OSError(113, "No route to host"), "api.example:443 cannot be reached (No route to host)"),
    ],
    ids=["name", "route"],
)
def test_no_way_there(error: OSError, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says of names and routes depends on where the tests run, so it is said here."""

    async def open_connection(host: str, port: int) -> Any:
        raise error

    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    assert asyncio.run(problem("https://api.example")) == told


def test_a_moment_of_refusal_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    class Writer:
        def close(self) -> None: ...

    answers: list[Any] = [ConnectionRefusedError(), (None, Writer())]

    async def open_connection(host: str, port: int) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    assert asyncio.run(problem("http://api.example")) is None
    assert answers == []


@pytest.mark.parametrize("url", ["https://one.example,https://two.example", "unix:/run/modal.sock", ""])
def test_addresses_that_are_not_judged(url: str) -> None:
    assert asyncio.run(problem(url)) is None
