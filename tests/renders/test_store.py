"""The table: who gets a render, whose results count, and how it comes to its present shape."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from manimcast.renders import RenderProgress, RenderStatus, RenderStore, StoreError
from manimcast.renders.attempt import lost
from manimcast.renders.migrate import HEAD, SCRIPTS, migrate, revision
from manimcast.renders.rows import Outcome
from manimcast.renders.table import metadata
from manimcast.settings import Settings
from manimcast.spec import OutputRole
from manimcast.storage import StoredFile, StoredResult

from .scripted import a_report, a_spec

pytestmark = pytest.mark.anyio

SUCCEEDED = Outcome(
    RenderStatus.succeeded,
    report=a_report(),
    stored=StoredResult(files=(StoredFile(role=OutputRole.video, name="video.mp4", bytes=1, sha256="0" * 64),)),
)


@pytest.fixture
async def store(anyio_backend: str, settings: Callable[..., Settings]) -> AsyncIterator[RenderStore]:
    store = RenderStore(settings())
    await store.open()
    yield store
    await store.close()


async def queue(store: RenderStore, *render_ids: str) -> None:
    for render_id in render_ids:
        assert await store.insert(render_id, a_spec(), tenant="t", metadata=None, room=1000)


async def status_of(store: RenderStore, render_id: str) -> RenderStatus:
    render = await store.get(render_id)
    assert render is not None
    return render.status


async def test_claims_at_once_take_every_render_once(store: RenderStore) -> None:
    ids = [f"rnd_{number:02}" for number in range(20)]
    await queue(store, *ids)
    claims = await asyncio.gather(*(store.claim(f"owner {number}") for number in range(30)))
    assert sorted(claim.id for claim in claims if claim) == ids
    assert {claim.attempt for claim in claims if claim} == {1}
    assert await store.depth() == (0, 20)


async def test_room_counts_what_waits_and_what_runs(store: RenderStore) -> None:
    await queue(store, "rnd_1", "rnd_2")
    await store.claim("me")
    assert not await store.insert("rnd_3", a_spec(), tenant="t", metadata=None, room=2)
    assert await store.insert("rnd_3", a_spec(), tenant="t", metadata=None, room=3)


async def test_a_late_result_of_a_dead_attempt_is_refused(store: RenderStore) -> None:
    await queue(store, "rnd_1")
    first = await store.claim("the dead")
    assert first is not None
    assert await store.recover(lost("it died")) == ["rnd_1"]
    assert not await store.finish("rnd_1", first.attempt, SUCCEEDED), "nobody runs it"
    second = await store.claim("the living")
    assert second is not None
    assert second.attempt == 2
    assert not await store.finish("rnd_1", first.attempt, SUCCEEDED)
    assert not await store.assign("rnd_1", first.attempt, "local")
    assert not await store.put_back("rnd_1", first.attempt, failed=True)
    progress = RenderProgress(animation_index=0, animation_percent=1, frames_done=1)
    assert not await store.progress("rnd_1", first.attempt, progress)
    assert await status_of(store, "rnd_1") is RenderStatus.running
    assert await store.finish("rnd_1", second.attempt, SUCCEEDED)
    assert not await store.finish("rnd_1", second.attempt, lost("too late")), "an end is written once"
    assert await status_of(store, "rnd_1") is RenderStatus.succeeded


async def test_progress_outlives_the_process(store: RenderStore, settings: Callable[..., Settings]) -> None:
    await queue(store, "rnd_1")
    await store.claim("me")
    progress = RenderProgress(animation_index=2, animation_percent=30, percent=12.5, frames_done=9, eta_seconds=4.0)
    assert await store.progress("rnd_1", 1, progress)
    await store.close()
    again = RenderStore(settings())
    await again.open()
    render = await again.get("rnd_1")
    await again.close()
    assert render is not None
    assert render.progress == progress
    assert render.created_at.tzinfo is not None


async def test_opening_an_empty_folder_makes_the_table_and_opening_again_keeps_it(
    store: RenderStore, settings: Callable[..., Settings]
) -> None:
    await queue(store, "rnd_1")
    for _ in range(2):
        await store.close()
        await store.open()
        assert await status_of(store, "rnd_1") is RenderStatus.queued


def test_the_migrations_make_the_table_that_the_code_uses(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with engine.begin() as connection:
        assert revision(connection) is None
        migrate(connection)
        assert revision(connection) == HEAD == ScriptDirectory(str(SCRIPTS)).get_current_head()
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrate(connection)
        assert revision(connection) == HEAD
    engine.dispose()


async def test_a_newer_versions_database_is_left_alone(store: RenderStore, settings: Callable[..., Settings]) -> None:
    await queue(store, "rnd_1")
    await store.close()
    path = settings().data_dir / "manimcast.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="revision 9999"):
        await store.open()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT id FROM renders").fetchall() == [("rnd_1",)]
    connection.close()


@pytest.mark.parametrize(
    ("content", "reason"), [(b"this is no database, " * 100, "not a database"), (None, "cannot be written")]
)
async def test_a_database_that_cannot_be_used_is_explained(
    tmp_path: Path, settings: Callable[..., Settings], content: bytes | None, reason: str
) -> None:
    data = tmp_path / "data"
    if content is None:
        data.write_bytes(b"a file where the folder should be")
    else:
        data.mkdir()
        (data / "manimcast.db").write_bytes(content)
    with pytest.raises(StoreError, match=reason):
        await RenderStore(settings()).open()


async def test_another_kind_of_database_is_refused(settings: Callable[..., Settings]) -> None:
    with pytest.raises(StoreError, match="DATABASE_URL"):
        await RenderStore(settings(database_url="postgresql+asyncpg://host/name")).open()
