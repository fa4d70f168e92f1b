"""What `./dev demo` shows: start the real service, post a scene to it, follow its progress, say where the video is.

It is a client like any other and speaks HTTP only, with nothing but the standard library and rich.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

HOST = "127.0.0.1"
CHECKOUT = Path(__file__).resolve().parents[2]
SCENE = CHECKOUT / "examples" / "demo.py"
STATE = CHECKOUT / ".state" / "demo"
READY_WITHIN = 90.0
STOP_WITHIN = 30.0
# The demo's own service must not meet the settings of another one; what limits or confines renders stays.
FOREIGN = ("API_KEYS", "PUBLIC_URL", "DATABASE_URL", "SIGNING_KEY", "LOG_FORMAT", "LOG_LEVEL")

console = Console(highlight=False, markup=False, soft_wrap=True)


class DemoError(Exception):
    """The demo cannot go on. The message is for the person who started it."""


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


class Service:
    """The service as a child process, with data and log in a folder of its own."""

    def __init__(self, state: Path, sandbox: dict[str, str]) -> None:
        self.data = state
        self.log = state / "service.log"
        self.port = _free_port()
        state.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        own = {"HOST": HOST, "PORT": str(self.port), "DATA_DIR": str(state)}
        own |= {"USE_MODAL": "false", "USE_LOCAL_STORAGE": "true"}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(CHECKOUT / "run.py")],
                cwd=state,  # so that the checkout's .env is not read
                env=environment | own | sandbox,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        """Return once the service can render, or raise :class:`DemoError` with its own reason."""
        deadline = time.monotonic() + READY_WITHIN
        answer = "no answer"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise DemoError(f"The service ended before it was ready. It said:\n{self.last_words()}")
            with contextlib.suppress(OSError, HTTPException):
                status, body = self.get("/readyz")
                if status == 200:
                    return
                answer = f"{status} {body.decode(errors='replace')}"
            time.sleep(0.05)
        raise DemoError(f"The service was not ready within {READY_WITHIN:.0f} s: {answer}\n{self.last_words()}")

    def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of what is at ``path``."""
        with contextlib.closing(HTTPConnection(HOST, self.port, timeout=60)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()

    def lines(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Post ``body`` and yield the JSON lines of the answer as they arrive."""
        with contextlib.closing(HTTPConnection(HOST, self.port, timeout=600)) as connection:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                raise DemoError(f"The service answered {response.status}: {response.read().decode(errors='replace')}")
            for line in response:
                yield json.loads(line)

    def last_words(self) -> str:
        """Return the end of the service's log, and where all of it is."""
        tail = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([*tail, f"(log: {self.log})"])

    def stop(self) -> None:
        """Ask the service to end, and end it if it does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Bars:
    """One bar for each animation on a terminal; one line for each, when it ends, elsewhere."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[int, TaskID] = {}

    def show(self, index: int, percentage: int) -> None:
        """Show that the animation has come to ``percentage``."""
        if index not in self._tasks:
            self._tasks[index] = self._progress.add_task(f"animation {index}", total=100)
        self._progress.update(self._tasks[index], completed=percentage)
        if percentage == 100 and not console.is_terminal:
            console.print(f"    animation {index}: done")


def render(service: Service, scene: Path) -> dict[str, Any]:
    """Render ``scene``, showing progress, and return the last line of the answer."""
    request = {"code": scene.read_text(), "quality": "medium_quality", "stream": True}
    columns = TextColumn("    {task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = Bars(progress)
        for line in service.lines("/v1/video/rendering", request):
            if "animationIndex" in line:
                bars.show(line["animationIndex"], line["percentage"])
            elif "error" in line:
                raise DemoError("\n".join(["The render failed: " + line["error"], *line.get("details", [])]))
            elif "video_url" in line:
                return line
    raise DemoError(f"The service ended its answer without a video. It said:\n{service.last_words()}")


def find_video(service: Service, url: str) -> Path:
    """Return where the video behind ``url`` lies on disk, after fetching it as a client would."""
    parts = urlsplit(url)
    status, body = service.get(f"{parts.path}?{parts.query}")
    if status != 200:
        raise DemoError(f"The link {url} answered {status}: {body[:500].decode(errors='replace')}")
    for path in sorted((service.data / "videos").glob("*/*.mp4"), key=lambda path: -path.stat().st_mtime):
        if path.read_bytes() == body:
            return path
    raise DemoError(f"The video behind {url} is not under {service.data}")


def _sandbox() -> dict[str, str]:
    """Return the settings that let the demo's own scene render where strangers' would not be.

    Nobody else can post to the demo's service, so that it goes on, and says so, on a host without the full sandbox.
    """
    if "SANDBOX" in os.environ:
        return {}
    from manimcast.sandbox.host.probe import examine  # noqa: PLC0415  takes a tenth of a second
    from manimcast.sandbox.layers import Tier  # noqa: PLC0415
    from manimcast.settings import Settings  # noqa: PLC0415

    user = Settings(_env_file=None).sandbox_user
    ground = asyncio.run(examine(owner=(user, user)))
    if ground.tier is Tier.full:
        console.print("    sandbox: full")
        return {}
    console.print(
        "    sandbox: this host does not give all of it, so the service would refuse to render here.", style="yellow"
    )
    console.print(f"    missing: {ground.missing()}", style="yellow")
    console.print("    The demo renders only its own scene, and goes on with SANDBOX=weak.", style="yellow")
    return {"SANDBOX": "weak"}


def show() -> None:
    """Run the demo, or raise :class:`DemoError`."""
    began = time.monotonic()
    console.print("==> Starting the service (python run.py)")
    service = Service(STATE, _sandbox())
    try:
        service.wait_until_ready()
        console.print(f"    ready on http://{HOST}:{service.port} after {time.monotonic() - began:.1f} s")
        console.print(f"==> POST /v1/video/rendering with {SCENE.relative_to(CHECKOUT)}, 1280x720, 30 frames a second")
        end = render(service, SCENE)
        path = find_video(service, end["video_url"])
    finally:
        service.stop()
    console.print(f"==> Done in {end['processingTime']} s; the service has been stopped")
    console.print(f"    video: {path} ({path.stat().st_size / 1000:.0f} kB)")
    console.print(f"    link:  {end['video_url']} (while the service runs)")
    console.print("    Now try `./dev serve` and the first request of README.md.")


def main() -> int:
    """Run the demo and return the exit status."""
    try:
        show()
    except DemoError as error:
        console.print(f"./dev demo: {error}", style="red")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
