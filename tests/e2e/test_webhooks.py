"""Webhooks of a real service: to the receiver of the documentation, and across a ``kill -9``."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from manimcast.webhooks import new_secret
from tests.docs.pages import DOCS, code
from tests.e2e.conftest import QUICK
from tests.e2e.server import Server, ended, serving
from tests.patience import until

HERE = {"webhook_allowed_networks": "127.0.0.1/32"}


@contextmanager
def example(secret: str, folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Run the receiver of the documentation, and yield its port and what it prints."""
    program = folder / "receiver.py"
    [text] = code(DOCS / "how-to" / "webhooks.md", "python")
    program.write_text(text)
    environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "PORT": "0"}
    with subprocess.Popen(
        [sys.executable, str(program)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed: list[str] = []
        port = int(process.stdout.readline().rpartition(" ")[2])
        reader = threading.Thread(target=lambda: printed.extend(process.stdout or ()))
        reader.start()
        try:
            yield port, printed
        finally:
            process.kill()
            reader.join()


def test_the_example_receives_what_the_service_sends_and_refuses_what_it_does_not(tmp_path: Path) -> None:
    secret, old = new_secret(), new_secret()
    with (
        example(old, tmp_path) as (port, printed),
        serving(tmp_path / "data", webhook_secret=f"{secret} {old}", **HERE) as server,
        server.client() as client,
    ):
        render = ended(client, {"code": QUICK, "quality": "low", "webhook": {"url": f"http://127.0.0.1:{port}/"}})
        assert render["status"] == "succeeded"
        until(lambda: printed, "its webhook")
        type_, render_id, link = printed[0].split()
        assert (type_, render_id) == ("render.succeeded", render["id"])
        assert client.get(link).headers["content-type"] == "video/mp4"
        replayed = client.post(f"/v1/renders/{render['id']}/webhook/replay")
        assert replayed.status_code == 202

        def attempts() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = client.get(f"/v1/renders/{render['id']}/webhook").json()["attempts"]
            return found

        until(lambda: [each["status"] for each in attempts()] == [204, 204], "the second attempt")
        connection = http.client.HTTPConnection("127.0.0.1", port)
        forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,bm9uc2Vuc2U="}
        connection.request("POST", "/", json.dumps({"type": "render.failed"}), forged)
        assert connection.getresponse().status == 400
        connection.close()
    assert len(printed) == 2, "what came twice is known by its id"
    assert printed[1].startswith("refused: ")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A receiver that answers when the test says so."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def receive(listener: socket.socket) -> tuple[socket.socket, dict[str, str], bytes]:
    """Take the next request, and return its connection, headers and body."""
    connection, _ = listener.accept()
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536)
    head, _, body = text.partition(b"\r\n\r\n")
    pairs = (line.partition(": ") for line in head.decode().splitlines()[1:])
    headers = {name.lower(): value for name, _, value in pairs}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return connection, headers, body


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait()


def test_what_a_killed_service_was_sending_another_one_sends_under_the_same_id(
    tmp_path: Path, listener: socket.socket
) -> None:
    data, secret = tmp_path / "data", new_secret()
    settings = {"webhook_secret": secret, "webhook_timeout": 1, **HERE}
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with serving(data, **settings) as one:
        with one.client() as client:
            render = ended(client, {"code": QUICK, "quality": "low", "webhook": {"url": url}})
        connection, first, _ = receive(listener)
        with connection:
            kill(one)
    with serving(data, **settings) as two, two.client() as client:
        connection, second, body = receive(listener)
        with connection:
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert Webhook(secret).verify(body, second)["data"]["id"] == render["id"]
        assert second["webhook-id"] == first["webhook-id"]

        def seen() -> dict[str, Any]:
            found: dict[str, Any] = client.get(f"/v1/renders/{render['id']}/webhook").json()
            return found

        until(lambda: seen()["state"] == "delivered", "its delivery")
        lost, taken = seen()["attempts"]
        assert (lost["status"], taken["status"]) == (None, 204)
        assert "ended meanwhile" in lost["reason"]


def test_what_ended_in_a_service_that_was_killed_before_it_sent_anything_is_told(
    tmp_path: Path, listener: socket.socket
) -> None:
    """No webhook is missing: of each render that has ended, whenever the service was killed, one arrives."""
    data, secret = tmp_path / "data", new_secret()
    settings = {"webhook_secret": secret, "webhook_timeout": 60, **HERE}
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    ids = set()
    # The first one hangs in the only slot, so that the others are not begun when the service is killed.
    with serving(data, **settings, webhook_slots=1) as one, one.client() as client:
        for number in range(3):
            body = {"code": QUICK, "quality": "low", "seed": number, "webhook": {"url": url}}
            ids.add(ended(client, body)["id"])
        connection, _, _ = receive(listener)
        with connection:
            kill(one)
    with closing(sqlite3.connect(data / "manimcast.db")) as database, database:
        deliveries = database.execute("SELECT subject, state, number FROM webhook_deliveries").fetchall()
        database.execute("UPDATE webhook_deliveries SET due = 0")  # as if the lease of what was under way had run out
    assert sorted(deliveries) == [
        (each, "pending", number) for each, number in zip(sorted(ids), (1, 0, 0), strict=True)
    ]
    told: dict[str, str] = {}
    with serving(data, **settings):
        while set(told) != ids:
            connection, headers, body = receive(listener)
            with connection:
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            event = Webhook(secret).verify(body, headers)
            assert told.setdefault(event["data"]["id"], headers["webhook-id"]) == headers["webhook-id"]
