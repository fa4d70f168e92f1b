"""schemathesis, which asks for what the OpenAPI document allows and for what it does not, meets no surprise."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from manimcast.api.app import create_app
from tests.renders.scripted import ScriptedExecutor
from tests.renders.test_inspections import DONE, DryExecutor

from .conftest import make_settings

pytestmark = pytest.mark.anyio

EXAMPLES = 8
"""Made-up requests for each operation, in each phase; which they are is the same each time."""
LEFT_OUT = {
    "positive_data_acceptance": "a cursor, a file's name or a scene's is refused for what no schema says",
    "ensure_resource_availability": "not every render has subtitles or sections",
}
"""Checks that are not of what the document says, and why."""
LIMITS = {"queue_limit": 100_000, "batch_queue_limit": 100_000, "tenant_assets": 100_000, "render_slots": 4}


async def _render_all(executor: ScriptedExecutor) -> None:
    """Let every render succeed at once."""
    while True:
        (await executor.begun.get()).succeed()


async def _inspect_all(executor: DryExecutor) -> None:
    """Let every dry run end at once."""
    while True:
        await executor.asked.get()
        executor.answers.put_nowait(DONE)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """Run the application behind a real HTTP server, on executors that render whatever they are given."""
    local, modal = DryExecutor(name="local", slots=4), DryExecutor(name="modal", slots=4)
    app = create_app(make_settings(folder, LIMITS), [local, modal])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        running = asyncio.create_task(server._serve([listener]))
        helping = [asyncio.create_task(at(each)) for each in (local, modal) for at in (_render_all, _inspect_all)]
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for task in helping:
                task.cancel()
            await asyncio.wait(helping)
            await app.state.context.stop(grace=0)
            server.should_exit = True
            await running


async def test_nothing_is_answered_that_is_not_described(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    options = ["--generation-deterministic", "--max-examples", str(EXAMPLES), "--exclude-checks", ",".join(LEFT_OUT)]
    options += ["--no-color", "--continue-on-failure", "--request-timeout", "60"]
    async with serving(tmp_path) as address:
        process = await asyncio.create_subprocess_exec(
            *(str(program), "run", f"{address}/openapi.json", *options),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
