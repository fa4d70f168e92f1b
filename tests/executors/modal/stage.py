"""An executor that plays scripts on the control plane, with the real client; see ``scripted.py``."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal.executor import ModalExecutor
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from tests.executors.modal.conversation import Item, Talk
from tests.modal_plane.report import CallReport
from tests.modal_plane.running import PATIENCE, ROOT, RunningPlane

STREAM = "render_stream"
Step = dict[str, Any]


def deploy(plane: RunningPlane, **environment: str) -> None:
    """Deploy the scripted app with Modal's own command line."""
    _modal(plane, "deploy", "tests/executors/modal/scripted.py", **environment)


def stop(plane: RunningPlane) -> None:
    """Stop the scripted app."""
    _modal(plane, "app", "stop", "--yes", "scripted")


def _modal(plane: RunningPlane, *arguments: str, **environment: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "modal", *arguments],
        cwd=ROOT,
        env=os.environ | plane.environment | environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def steps(*items: Item | Step) -> list[Step]:
    """Return items as steps of a script."""
    return [
        {
            name: {"hex": value.hex()} if isinstance(value, bytes) else value
            for name, value in item.items()
            if name not in {"run", "seq"}
        }
        for item in items
    ]


def a_video(size: int = 1000, of: int = 100) -> list[Step]:
    """Return the script of a render that succeeds with one video."""
    talk = Talk()
    return steps(
        *talk.beginning(),
        talk.finished(("video", "video.mp4", size)),
        {"chunks": "video.mp4", "of": of, "count": size // of},
        talk.closed(),
    )


def waiting(path: Path) -> list[Step]:
    """Return the script of a render that has begun and then waits for a file."""
    return steps(*Talk().beginning(), {"wait": str(path)})


@dataclass
class Performance:
    """What became of one render."""

    folder: Path
    messages: list[wire.Message] = field(default_factory=list)
    error: ExecutorError | None = None

    @property
    def end(self) -> wire.Message:
        assert self.error is None, self.error
        return self.messages[-1]

    @property
    def code(self) -> str:
        """The code of a failure that is the scene's."""
        assert isinstance(self.end, wire.Failed), self.end
        return self.end.error.code


class Stage:
    """A running executor and its control plane."""

    def __init__(self, plane: RunningPlane, executor: ModalExecutor, folder: Path) -> None:
        self.plane = plane
        self.executor = executor
        self.folder = folder
        self.performances = 0

    async def perform(self, script: list[Step], *, timeout: float = 30, render_id: str | None = None) -> Performance:
        """Render and return what was said."""
        self.performances += 1
        name = render_id or f"render-{self.performances}"
        performance = Performance(self.folder / f"{name}-{self.performances}")
        performance.folder.mkdir()
        spec = RenderSpec(code=json.dumps(script))
        stream = self.executor.render(spec, render_id=name, into=performance.folder, timeout=timeout)
        async with contextlib.aclosing(stream):
            try:
                async for message in stream:
                    performance.messages.append(message)
            except ExecutorError as error:
                performance.error = error
        return performance

    async def calls(self, function: str = STREAM) -> list[CallReport]:
        """Return the calls of a function, as the control plane sees them."""
        report = await asyncio.to_thread(self.plane.report)
        return [call for call in report.calls if call.function == function]

    async def pids(self, function: str = STREAM) -> list[int]:
        """Return the processes of containers that run something."""
        report = await asyncio.to_thread(self.plane.report)
        return [found.pid for found in report.containers if found.function == function and found.inputs and found.pid]

    @property
    def breaker(self) -> dict[str, Any]:
        breaker = self.executor.status().details["breaker"]
        assert isinstance(breaker, dict)
        return breaker


@contextlib.asynccontextmanager
async def stage(plane: RunningPlane, folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    """Have an executor; see that it leaves no task, and no connection to the control plane."""
    defaults = {
        "modal_token_id": plane.address.token_id,
        "modal_token_secret": plane.address.token_secret,
        "modal_app_name": "scripted",
        "modal_breaker_pause": 0.1,
    }
    executor = ModalExecutor(Settings(_env_file=None, **(defaults | settings)))
    await executor.start()
    try:
        yield Stage(plane, executor, folder)
    finally:
        await executor.stop()
    mine = asyncio.current_task()
    await until(lambda: asyncio.all_tasks() == {mine}, "the end of every task")
    port = int(plane.address.server_url.rpartition(":")[2])
    await until(lambda: not connections(port), "the end of every connection")


async def until(holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until ``holds()``, or what it is awaited for, is true, while all else goes on; fail when it never is."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while loop.time() < deadline:
        held = holds()
        if await held if inspect.isawaitable(held) else held:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{what} did not happen")


def connections(port: int) -> list[str]:
    """Return this process's open connections to a port of this machine."""
    sockets = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            sockets.add(str(entry.readlink()))
    found = []
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].partition(":")[2], 16) == port and f"socket:[{fields[9]}]" in sockets:
            found.append(line)
    return found
