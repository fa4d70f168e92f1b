"""The app as it is, deployed on the control plane, and an executor that calls it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from manimcast.executors.modal.executor import ModalExecutor
from manimcast.settings import Settings
from tests.executors.modal.stage import LONG
from tests.modal_plane.client import modal_cli
from tests.modal_plane.running import RunningPlane
from tests.patience import eventually

STREAM = "render_stream"


@pytest.fixture(autouse=True, scope="module")
def app(module_plane: RunningPlane) -> Iterator[None]:
    """Have the app deployed, and the client of this process led to the control plane."""
    deployed = modal_cli(module_plane, "deploy", "api/modal_manim.py")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    with pytest.MonkeyPatch.context() as patch:
        for name, value in module_plane.environment.items():
            if "TOKEN" not in name:
                patch.setenv(name, value)
        yield


@contextlib.asynccontextmanager
async def started(plane: RunningPlane, **settings: Any) -> AsyncIterator[ModalExecutor]:
    tokens = {"modal_token_id": plane.address.token_id, "modal_token_secret": plane.address.token_secret}
    limits = dict.fromkeys(("modal_connect_timeout", "modal_start_timeout", "modal_silence_timeout"), LONG)
    executor = ModalExecutor(Settings(_env_file=None, **(tokens | limits | settings)))
    await executor.start()
    try:
        yield executor
    finally:
        await executor.stop()
    mine = asyncio.current_task()
    await eventually(lambda: asyncio.all_tasks() == {mine}, "the end of every task")


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, and those have started."""
    children: list[str] = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            children += (thread / "children").read_text().split()
    return [pid, *(found for child in children for found in family(int(child)))]


def busy(plane: RunningPlane) -> list[int]:
    return [container.pid for container in plane.containers(STREAM) if container.inputs]
