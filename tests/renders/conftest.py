"""A service with a real table and a real storage, and executors in the test's hands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from manimcast.renders import RenderService, RenderStore
from manimcast.settings import Settings
from manimcast.storage import Storage, from_settings
from tests.patience import PATIENCE
from tests.postgres import Postgres, running

from .scripted import ScriptedExecutor

Serve = Callable[..., AbstractAsyncContextManager[RenderService]]


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of this folder."""
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """The ``DATABASE_URL`` of this test: SQLite where it lies by default, and a new database of PostgreSQL."""
    if request.param == "sqlite":
        return None
    server = request.getfixturevalue("postgres")
    assert isinstance(server, Postgres)
    return server.fresh()


@pytest.fixture
def settings(tmp_path: Path, database_url: str | None) -> Callable[..., Settings]:
    """Return a function that makes settings whose data lie in the test's own folder."""

    def make(**fields: Any) -> Settings:
        ours = {
            "data_dir": tmp_path / "data",
            "render_slots": 1,
            "database_url": database_url,
            "shared_data_dir": True,
        }
        return Settings(_env_file=None, **{**ours, **fields})

    return make


@pytest.fixture
async def store(anyio_backend: str, settings: Callable[..., Settings]) -> AsyncIterator[RenderStore]:
    """An open table."""
    store = RenderStore(settings())
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def executor() -> ScriptedExecutor:
    return ScriptedExecutor()


@pytest.fixture
def serve(settings: Callable[..., Settings], executor: ScriptedExecutor) -> Serve:
    """Return a function that runs a service with the given settings, on ``executor`` or on those it is given."""

    @contextlib.asynccontextmanager
    async def run(
        *executors: ScriptedExecutor, storage: Storage | None = None, **fields: Any
    ) -> AsyncIterator[RenderService]:
        chosen = settings(**fields)
        executor.slots = chosen.slots
        service = RenderService(chosen, RenderStore(chosen), executors or [executor], storage or from_settings(chosen))
        await service.start()
        try:
            async with asyncio.timeout(PATIENCE):
                yield service
        finally:
            await service.stop(grace=0)

    return run


@pytest.fixture
async def service(anyio_backend: str, serve: Serve) -> AsyncIterator[RenderService]:
    """A running service with one slot."""
    async with serve() as running:
        yield running
