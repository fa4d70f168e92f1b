"""The service as clients meet it: a real `python run.py` process, asked over HTTP.

Each round of a benchmark speaks as another tenant. Whatever the service keeps of finished renders it keeps for their
tenant, so every round finds cold caches, while the service runs with its default settings; only TeX is shared.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import processes
from benchmarks.video import frames_in

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
RENDER_SECONDS = 1200
STOP_SECONDS = 30
TENANTS = 1000

SMALLEST = "from manim import *\nclass Smallest(Scene):\n    def construct(self):\n        self.wait(0.1)\n"


class NotAvailableError(Exception):
    """The service cannot do this (yet)."""


@dataclass(frozen=True)
class Answered:
    """One render: wall seconds from request to answer, CPU seconds of all processes, and what the service answered."""

    seconds: float
    cpu: float
    answer: dict[str, Any] = field(repr=False)

    @property
    def from_cache(self) -> str:
        """What of the render came from a cache: ``none``, ``segments`` or ``result``."""
        return str((self.answer.get("cache") or {}).get("hit", "none"))


class Service:
    """One server process with an empty data folder, on a free port of this machine.

    Entering it starts the process and returns as soon as it accepts connections; leaving it ends the process.
    ``settings`` are added to its environment.
    """

    def __init__(self, **settings: str) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        self._data = tempfile.TemporaryDirectory(prefix="benchmark-service-")
        self._log = Path(self._data.name, "log")
        self._keys = [secrets.token_hex(16) for _ in range(TENANTS)]
        self._tenant = 0
        self.port = _free_port()
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(Path(self._data.name, "data")),
            "RENDER_TIMEOUT": str(RENDER_SECONDS),
            "API_KEYS": ",".join(f"tenant{number}:{key}" for number, key in enumerate(self._keys)),
            "USE_MODAL": "false",
            "USE_LOCAL_STORAGE": "true",
            **self._settings,
        }
        self.started = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "run.py")],
                cwd=self._data.name,  # away from a .env in the checkout
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await_port()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._data.cleanup()

    def next_tenant(self) -> None:
        """Speak as a tenant who has rendered nothing yet."""
        self._tenant += 1
        if self._tenant >= TENANTS:
            raise RuntimeError(f"more than {TENANTS} rounds in one service")

    def warm_up(self, *scenes: str) -> None:
        """Render something small, after which the warm process is there, and ``scenes`` small, for their TeX."""
        self.render(SMALLEST, quality="low")
        for code in scenes:
            self.render(code, resolution={"width": 128, "height": 72}, frame_rate=1)
        self.next_tenant()

    def render(self, code: str, **options: Any) -> Answered:
        """Render ``code`` with ``POST /v1/renders`` and wait for its end.

        Raises :class:`RuntimeError` when the answer is anything but a render that succeeded.
        """
        body = {"code": code, **options}
        answered = self._measure("/v1/renders", body, {"Prefer": f"wait={RENDER_SECONDS}"})
        if answered.answer.get("status") != "succeeded":
            raise RuntimeError(f"the render did not succeed: {json.dumps(answered.answer)[:2000]}")
        return answered

    def read(self, render_id: str, *, include: str) -> dict[str, Any]:
        """Return a render as ``GET /v1/renders/{id}?include=...`` answers with it."""
        with self._request("GET", f"/v1/renders/{render_id}?include={include}") as response:
            answer: dict[str, Any] = json.loads(response.read())
        return answer

    def render_as_ever(self, code: str, quality: str) -> Answered:
        """Render ``code`` through the original endpoint, ``POST /v1/video/rendering``."""
        return self._measure("/v1/video/rendering", {"code": code, "quality": quality}, {})

    def inspect(self, code: str, quality: str) -> Answered:
        """Run ``code`` dry. Raises :class:`NotAvailableError` when the service has no such endpoint."""
        return self._measure("/v1/scenes/inspect", {"code": code, "quality": quality}, {})

    def first_progress(self, code: str, quality: str) -> float:
        """Return the seconds from the request to the first line that tells of something drawn.

        That is the first percentage above 0. It comes after its frame was handed to the encoder, so this is an upper
        bound for the first encoded frame. The stream is read to its end.
        """
        body = json.dumps({"code": code, "quality": quality, "stream": True}).encode()
        first = None
        began = time.perf_counter()
        with self._request("POST", "/v1/video/rendering", body) as response:
            for line in response:
                told = json.loads(line)
                if first is None and told.get("percentage", 0) > 0:
                    first = time.perf_counter() - began
                if "error" in told:
                    raise RuntimeError(f"the render failed: {line.decode()[:2000]}")
        if first is None:
            raise RuntimeError("the stream ended without progress")
        return first

    def video(self, answer: dict[str, Any], into: Path) -> int:
        """Fetch the video of an answer and return its number of frames, counted by decoding."""
        parts = urllib.parse.urlsplit((answer.get("result") or answer)["video_url"])
        with self._request("GET", f"{parts.path}?{parts.query}") as response:
            into.write_bytes(response.read())
        if response.status != 200:
            raise RuntimeError(f"the video's link answered {response.status}")
        return frames_in(into)

    def since_start(self) -> float:
        """Return the seconds since the process was started."""
        return time.perf_counter() - self.started

    def _measure(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answered:
        content = json.dumps(body).encode()
        idle = processes.tree(self._process.pid)
        cpu = processes.cpu_seconds(self._process.pid)
        began = time.perf_counter()
        with self._request("POST", path, content, headers) as response:
            answer = response.read()
            seconds = time.perf_counter() - began
        processes.settle(self._process.pid, idle)
        cpu = processes.cpu_seconds(self._process.pid) - cpu
        if response.status in {404, 405}:
            raise NotAvailableError(f"there is no POST {path}")
        if response.status != 200:
            raise RuntimeError(f"the service answered {response.status}: {answer.decode(errors='replace')[:2000]}")
        return Answered(seconds, cpu, json.loads(answer))

    @contextmanager
    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        sent = {"Authorization": f"Bearer {self._keys[self._tenant]}", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=RENDER_SECONDS)) as connection:
            connection.request(method, path, body, sent)
            yield connection.getresponse()

    def _await_port(self) -> None:
        while self.since_start() < START_SECONDS:
            if self._process.poll() is not None:
                raise RuntimeError(f"the service ended at once: {self._log.read_text(errors='replace')[-2000:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except ConnectionRefusedError:
                time.sleep(0.005)
            else:
                return
        raise RuntimeError(f"the service did not open its port within {START_SECONDS} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
