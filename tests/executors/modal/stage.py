"""An executor that plays scripts on the control plane, with the real client; see ``scripted.py``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from manimcast import wire
from manimcast.executors.base import ExecutorError
from manimcast.executors.modal import calls as module
from manimcast.executors.modal.executor import ModalExecutor
from manimcast.executors.modal.remote import RemoteCall
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from tests.executors.modal.conversation import Item, Talk
from tests.modal_plane.report import CallReport
from tests.modal_plane.running import ROOT, RunningPlane
from tests.patience import PATIENCE, eventually

STREAM = "render_stream"
LONG = 1000.0
"""Seconds that nothing takes. A limit of so many is only met where a test puts the clock forward."""
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
    """A running executor and its control plane.

    ``items`` counts what the executor has heard of containers, and ``patience`` is how long it now waits for more.
    """

    def __init__(self, plane: RunningPlane, executor: ModalExecutor, folder: Path) -> None:
        self.plane = plane
        self.executor = executor
        self.folder = folder
        self.performances = 0
        self.items = 0
        self.patience: float | None = None

    async def perform(
        self, script: list[Step], *, timeout: float = PATIENCE, render_id: str | None = None
    ) -> Performance:
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

    def note(self, patch: pytest.MonkeyPatch) -> None:
        """Note what calls wait for, and how often that comes."""
        whole = RemoteCall._next

        async def noted(call: RemoteCall, patience: float) -> object:
            self.patience = patience
            try:
                item = await whole(call, patience)
            finally:
                self.patience = None
            self.items += 1
            return item

        patch.setattr(RemoteCall, "_next", noted)


@contextlib.asynccontextmanager
async def stage(plane: RunningPlane, folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    """Have an executor; see that it leaves no task, and no connection to the control plane.

    It is in no hurry, unless told so. Time passes for its breaker as it does on this loop.
    """
    defaults = {
        "modal_token_id": plane.address.token_id,
        "modal_token_secret": plane.address.token_secret,
        "modal_app_name": "scripted",
        "modal_connect_timeout": LONG,
        "modal_start_timeout": LONG,
        "modal_silence_timeout": LONG,
        "modal_breaker_pause": 0.1,
    }
    executor = ModalExecutor(Settings(_env_file=None, **(defaults | settings)))
    executor._breaker._clock = asyncio.get_running_loop().time
    on = Stage(plane, executor, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CANCEL_SECONDS", PATIENCE)
        on.note(patch)
        await executor.start()
        try:
            yield on
        finally:
            await executor.stop()
    mine = asyncio.current_task()
    await eventually(lambda: asyncio.all_tasks() == {mine}, "the end of every task")
    port = int(plane.address.server_url.rpartition(":")[2])
    await eventually(lambda: not connections(port), "the end of every connection")


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
