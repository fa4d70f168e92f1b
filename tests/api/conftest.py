"""The real application on a real table and storage, with executors in the test's hands."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import uvicorn

from manimcast.api.app import create_app
from manimcast.api.context import Context
from manimcast.api.routes import health
from manimcast.settings import Settings
from tests.patience import PATIENCE, eventually
from tests.renders.scripted import Performance, ScriptedExecutor


@dataclass
class Api:
    """A running application and a client of it. ``executor`` is the first one."""

    client: httpx.AsyncClient
    executor: ScriptedExecutor
    context: Context

    async def begun(self) -> Performance:
        """Wait until the executor is given a render."""
        return await self.executor.begun.get()

    async def post(self, path: str, **kwargs: Any) -> httpx.Response:
        """Post, and let the render that this causes succeed."""
        request = asyncio.ensure_future(self.client.post(path, **kwargs))
        performance = await self.begun()
        performance.succeed()
        return await request


async def finished(api: Api, path: str) -> dict[str, Any]:
    """Return the batch at ``path`` once it has ended."""

    async def look() -> dict[str, Any] | None:
        batch: dict[str, Any] = (await api.client.get(path)).json()
        return batch if batch["finished_at"] else None

    return await eventually(look, f"the end of {path}")


Start = Callable[..., AbstractAsyncContextManager[Api]]


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(autouse=True)
def _without_anybodys_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Keep the tokens for Modal of whoever runs the tests out of them."""
    for name in ("USE_MODAL", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODAL_CONFIG_PATH", str(tmp_path / "no-profile.toml"))


@pytest.fixture(autouse=True)
def _in_no_hurry(monkeypatch: pytest.MonkeyPatch):
    """Let health look at the queue for as long as it takes on a slow machine."""
    monkeypatch.setattr(health, "PATIENCE", PATIENCE)


@pytest.fixture(autouse=True)
def _restore_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def make_settings(folder: Path, fields: dict[str, Any]) -> Settings:
    return Settings(_env_file=None, **{"data_dir": folder / "data", "render_slots": 1, **fields})


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return a function that runs the application with the given settings, called without a network.

    It renders on the executors that the function is given, by default on one.
    """

    @contextlib.asynccontextmanager
    async def run(*executors: ScriptedExecutor, **fields: Any) -> AsyncIterator[Api]:
        chosen = executors or (ScriptedExecutor(),)
        app = create_app(make_settings(tmp_path, fields), chosen)
        context = app.state.context
        await context.start()
        try:
            transport = httpx.ASGITransport(app)
            async with (
                asyncio.timeout(PATIENCE),
                httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
            ):
                yield Api(client, chosen[0], context)
        finally:
            await context.stop(grace=0)

    return run


@pytest.fixture
async def api(anyio_backend: str, start: Start) -> AsyncIterator[Api]:
    """The application with one slot and no keys."""
    async with start() as running:
        yield running


@pytest.fixture
async def wire(anyio_backend: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The application behind a real HTTP server, for what a transport in memory cannot show."""
    executor = ScriptedExecutor()
    app = create_app(make_settings(tmp_path, {"max_body_bytes": 4096}), [executor])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listener]))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=address, trust_env=False) as client:
                yield Api(client, executor, app.state.context)
        finally:
            await app.state.context.stop(grace=0)
            server.should_exit = True
            await serving
