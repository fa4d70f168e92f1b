"""A real service whose renders run on the control plane, and what tests ask of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.server import Server, serving
from tests.modal_plane.running import ROOT, RunningPlane
from tests.patience import PATIENCE, until

VIDEO = "/v1/video/rendering"
SMALL = {"resolution": {"width": 128, "height": 72}, "frame_rate": 10}
QUICK = """
class Demo(Scene):
    def construct(self):
        self.play(Create(Circle()), run_time=0.5)
        self.play(Create(Square()), run_time=0.5)
"""
ENDLESS = """
class Demo(Scene):
    def construct(self):
        while True:
            self.wait(0.1)
"""


def deploy(plane: RunningPlane, *options: str, **settings: object) -> None:
    """Deploy the app with Modal's own command line."""
    subprocess.run(
        [sys.executable, "-m", "modal", "deploy", *options, "api/modal_manim.py"],
        cwd=ROOT,
        env=os.environ | plane.environment | {name.upper(): str(value) for name, value in settings.items()},
        stdout=subprocess.DEVNULL,
        check=True,
    )


@contextmanager
def service(plane: RunningPlane | None, folder: Path, **settings: object) -> Iterator[Service]:
    """Run the service with the plane's address and tokens, and bounds that suit a test."""
    folder.mkdir(parents=True, exist_ok=True)
    bounds: dict[str, object] = {
        "use_modal": True,
        "modal_connect_timeout": PATIENCE / 2,
        "modal_silence_timeout": PATIENCE / 2,
        "modal_breaker_pause": 0.2,
        "modal_breaker_failures": 50,  # render after render fails here
        "shutdown_grace": 0,
        "render_memory": 1024,
        "result_cache": "off",  # the same scene is rendered again and again here
    }
    environment = plane.environment if plane else {}
    with serving(folder / "data", **(environment | bounds | settings)) as server, server.client() as client:
        yield Service(server, client)


@dataclass
class Told:
    """What a stream told, line by line, and when, in seconds from the request."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def end(self) -> dict[str, Any]:
        return self.lines[-1]

    @property
    def seconds(self) -> float:
        return self.times[-1]

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """The lines that say that another attempt begins."""
        return [line for line in self.lines if "attempt" in line and "animationIndex" not in line]


@dataclass
class Service:
    """A running service and a client of it."""

    server: Server
    client: httpx.Client

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get("/v1/health").json()
        return answer

    def until_modal(self, available: bool = True) -> dict[str, Any]:
        """Wait until health says that Modal is available, or is not."""
        found = until(
            lambda: health if (health := self.health())["modal_available"] is available else None,
            f"modal_available: {available}",
        )
        assert found is not None
        return found

    def stream(self, code: str = QUICK, **fields: object) -> Told:
        """Send a request for progress lines and read them all."""
        told, began = Told(), time.monotonic()
        body = {"code": code, "quality": "low_quality", "stream": True, **fields}
        with self.client.stream("POST", VIDEO, json=body) as answer:
            assert answer.status_code == 200, answer.read()
            for line in answer.iter_lines():
                told.lines.append(json.loads(line))
                told.times.append(time.monotonic() - began)
        return told

    def submit(self, code: str = QUICK, **fields: object) -> str:
        """Queue a render and return its id."""
        answer = self.client.post("/v1/renders", json={"code": code, **SMALL, **fields})
        assert answer.status_code == 202, answer.text
        render_id: str = answer.json()["id"]
        return render_id

    def get(self, render_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(f"/v1/renders/{render_id}").json()
        return answer

    def until(self, render_id: str, *statuses: str) -> dict[str, Any]:
        """Wait until a render has one of these statuses, by default any of its end, and return it."""
        wanted = statuses or ("succeeded", "failed", "canceled")
        found = until(
            lambda: render if (render := self.get(render_id))["status"] in wanted else None, f"{render_id}: {wanted}"
        )
        assert found is not None
        return found

    def logged(self, text: str) -> None:
        """Wait for a log line that contains ``text``."""
        until(lambda: any(text in line for line in self.server.log), f"the log line {text!r}")
