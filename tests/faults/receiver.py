"""A receiver of webhooks that fails at random: it answers with an error, hangs up, or takes its time and then does."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

FAILURES = 0.3
"""The part of deliveries that fail, of those that may."""


@dataclass(frozen=True)
class Told:
    """A delivery that was received and answered: by ``status``, or not at all."""

    message: str
    type: str
    render: dict[str, Any]
    status: int | None


@dataclass
class Receiver:
    """What was received. Of each message one delivery may fail, so that the back-off stays short."""

    secret: str
    rng: random.Random
    port: int = 0
    told: list[Told] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def take(self, headers: dict[str, str], body: bytes) -> int | None:
        """Note a delivery, and return the status to answer with; None is to hang up."""
        event = Webhook(self.secret).verify(body, headers)
        message = headers["webhook-id"]
        with self.lock:
            self.tries[message] += 1
            fails = self.tries[message] == 1 and self.rng.random() < FAILURES
            status = self.rng.choice((500, 302, None)) if fails else 204
            self.told.append(Told(message, event["type"], event["data"], status))
        return status


@contextmanager
def receiving(secret: str, rng: random.Random) -> Iterator[Receiver]:
    """Run a receiver on a port of its own."""
    receiver = Receiver(secret, rng)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:  # who sent it was killed meanwhile
                return
            status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            if status is not None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.send_header("location", "http://127.0.0.1:1/")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Say nothing: what matters is in ``told``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
