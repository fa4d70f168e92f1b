"""Chromium's own ``EventSource`` comes back by itself after each cut, hears the end, and gives up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser import Quiet, look, site
from tests.e2e.conftest import scene
from tests.e2e.server import Server

pytestmark = pytest.mark.full

CUT_AFTER = 3
"""Events after which the way to the service breaks, ..."""
CUTS = 2
"""... so many times."""

PAGE = """<!doctype html><meta charset="utf-8"><script>
const source = new EventSource("EVENTS");
const heard = [];
let opened = 0;
source.onopen = () => { opened += 1; };
for (const type of ["queued", "running", "progress", "segment", "log", "succeeded", "failed", "canceled"]) {
  source.addEventListener(type, (event) => {
    heard.push([Number(event.lastEventId), event.type, JSON.parse(event.data).render?.status ?? null]);
  });
}
source.onerror = () => {
  if (source.readyState === EventSource.CLOSED) {
    fetch("/result", {method: "POST", body: JSON.stringify({heard, opened})});
  }
};
</script>"""


@dataclass
class Seen:
    """What the way between the browser and the service has seen."""

    positions: list[str | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    arrived: threading.Event = field(default_factory=threading.Event)


@contextmanager
def way(server: Server, path: str) -> Iterator[tuple[str, Seen]]:
    """Serve the page, and the service's events under the same address by a way that breaks a few times."""
    seen = Seen()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == path:
                self.relay()
                return
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if self.path == "/":
                self.wfile.write(PAGE.replace("EVENTS", path).encode())

        def relay(self) -> None:
            position = self.headers.get("Last-Event-ID")
            seen.positions.append(position)
            left = CUT_AFTER if len(seen.positions) <= CUTS else None
            headers = {} if position is None else {"last-event-id": position}
            with server.client() as client, client.stream("GET", path, headers=headers) as answer:
                seen.statuses.append(answer.status_code)
                self.send_response(answer.status_code)
                if "content-type" in answer.headers:
                    self.send_header("Content-Type", answer.headers["content-type"])
                self.end_headers()
                for line in answer.iter_lines():
                    self.wfile.write(line.encode() + b"\n")
                    self.wfile.flush()
                    if left is not None and line.startswith("id:"):
                        left -= 1
                        if left < 0:  # the event is not whole yet
                            return

        def do_POST(self) -> None:
            seen.result = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            seen.arrived.set()

    with site(Handler) as address:
        yield address, seen


def test_a_browser_comes_back_by_itself_and_hears_the_end(server: Server, client: httpx.Client, tmp_path: Path) -> None:
    play = "    self.play(Rotate(Square(), 1), run_time=0.2)"
    code = scene("import time", "for _ in range(8):", play, "    time.sleep(0.5)")
    render = client.post("/v1/renders", json={"code": code, "quality": "low", "cache": "off"}).json()
    path = f"/v1/renders/{render['id']}/events"
    with way(server, path) as (address, seen):
        look(address, tmp_path, seen.arrived)
    heard = [(number, kind) for number, kind, _ in seen.result["heard"]]
    with client.stream("GET", path) as answer:
        lines = list(answer.iter_lines())
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert heard == list(enumerate(kinds, 1)), "all of it, once, in order"
    assert seen.result["heard"][-1][1:] == ["succeeded", "succeeded"]
    assert seen.positions == [None, "3", "6", str(len(kinds))], "it says where it was"
    assert seen.statuses == [200, 200, 200, 204], "and gives up when nothing is left to say"
    assert seen.result["opened"] == 3
