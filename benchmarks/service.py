"""The service as clients meet it: a real `python run.py` process, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.video import frames_in

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
RENDER_SECONDS = 600
STOP_SECONDS = 30

SMALLEST = "from manim import *\nclass Smallest(Scene):\n    def construct(self):\n        self.wait(0.1)\n"


class Service:
    """One server process with an empty data folder, on a free port of this machine.

    Entering it starts the process and returns as soon as it accepts connections; leaving it ends the process.
    """

    def __enter__(self) -> Self:
        self._data = tempfile.TemporaryDirectory(prefix="benchmark-service-")
        self._log = Path(self._data.name, "log")
        self.port = _free_port()
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(Path(self._data.name, "data")),
            "RENDER_TIMEOUT": str(RENDER_SECONDS),
            # Whatever is kept of finished renders would be measured instead of rendering.
            "RESULT_CACHE": "off",
            "USE_MODAL": "false",
            "USE_LOCAL_STORAGE": "true",
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

    def warm_up(self) -> None:
        """Render something small, after which the warm process is certainly there."""
        self.measure(SMALLEST, "low")

    def measure(self, code: str, quality: str) -> tuple[float, int]:
        """Render ``code`` and return the wall seconds from request to answer, and the frames of the video.

        The video is fetched and decoded after the clock has stopped. Raises :class:`RuntimeError` when the answer
        is anything but a video.
        """
        body = json.dumps({"code": code, "quality": quality}).encode()
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=RENDER_SECONDS)
        connection.request("POST", "/v1/video/rendering", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - began
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"the service answered {response.status}: {answer.decode(errors='replace')[:2000]}")
        return seconds, self._frames(json.loads(answer)["video_url"])

    def since_start(self) -> float:
        """Return the seconds since the process was started."""
        return time.perf_counter() - self.started

    def _frames(self, url: str) -> int:
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"the video's link answered {response.status}")
        with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
            file.write(content)
            file.flush()
            return frames_in(Path(file.name))

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
