"""A proxy between the service and its bucket that passes requests on, refuses them, holds them up or cuts them off."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.buckets.listening import listening
from tests.e2e.server import PATIENCE

PIECE = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """A request that has arrived."""

    method: str
    path: str
    query: str
    host: str

    @property
    def is_part(self) -> bool:
        """Whether it brings a part of a file."""
        return "partNumber=" in self.query

    @property
    def is_video(self) -> bool:
        """Whether it is about a video and not about the object that the check writes."""
        return "/video-" in self.path


@dataclass
class Proxy:
    """A running proxy. The faults that a test sets hold for requests that arrive from then on.

    ``refuse`` answers with a status and an S3 error's code instead of passing on; ``cut`` hangs up in the middle of the
    body; requests for which ``hold`` is true wait until it is released.
    """

    target: str
    port: int = 0
    refuse: Callable[[Asked], tuple[int, str] | None] = lambda _: None
    cut: Callable[[Asked], bool] = lambda _: False
    hold: Callable[[Asked], bool] = lambda _: False
    asked: list[Asked] = field(default_factory=list)
    passed: list[Asked] = field(default_factory=list)
    held: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def works(self) -> None:
        """Pass everything on from now on."""
        self.refuse, self.cut, self.hold = lambda _: None, lambda _: False, lambda _: False
        self.released.set()


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Run a proxy in front of the server at ``target``.

    It takes requests that are addressed to it, and those that are addressed to any other host through it.
    """
    running = Proxy(target)

    class Handler(_Handler):
        proxy = running

    with listening(Handler) as running.port:
        try:
            yield running
        finally:
            running.released.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        asked = Asked(self.command, parts.path, parts.query, self.headers["host"])
        self.proxy.asked.append(asked)
        length = int(self.headers.get("content-length") or 0)
        if self.proxy.cut(asked):
            self.rfile.read(length // 2)
            return self._hang_up()
        body = self.rfile.read(length)
        if self.proxy.hold(asked):
            self.proxy.held.append(asked)
            self.proxy.released.wait(PATIENCE)
        if (refusal := self.proxy.refuse(asked)) is not None:
            status, code = refusal
            return self._answer(status, [], f"<Error><Code>{code}</Code><Message>Sorry.</Message></Error>".encode())
        return self._pass_on(asked, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - the library's names

    def _pass_on(self, asked: Asked, body: bytes) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=PATIENCE)
        try:
            path = f"{asked.path}?{asked.query}" if asked.query else asked.path
            # As it came, Host included: the signature covers it.
            connection.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "proxy-connection", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return self._hang_up()
        finally:
            connection.close()
        self.proxy.passed.append(asked)
        return self._answer(answer.status, answer.getheaders(), content)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        with suppress(OSError):  # whoever asked may be gone
            self.send_response_only(status)
            hop = {"connection", "transfer-encoding", "keep-alive", "content-length"}
            for name, value in headers:
                if name.lower() not in hop or (self.command == "HEAD" and name.lower() == "content-length"):
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""
