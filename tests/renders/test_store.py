"""The table: who gets a render, whose results count, and how it comes to its present shape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, make_url, text

from manimcast.database import DatabaseError, metadata
from manimcast.database.connection import connect
from manimcast.database.migrate import HEAD, SCRIPTS, migrate, revision
from manimcast.executors.policy import Fault
from manimcast.renders import KeyTakenError, RenderProgress, RenderStatus, RenderStore, RequestKey
from manimcast.renders.events import EventType
from manimcast.renders.outcomes import CANCELED, LOST
from manimcast.renders.rows import Claim, NewRender, Outcome, Waiting
from manimcast.settings import Settings
from manimcast.spec import OutputRole
from manimcast.storage import StoredFile, StoredResult

from .scripted import a_report, a_spec

pytestmark = pytest.mark.anyio

SQLITE = pytest.mark.parametrize("database_url", [None], ids=["sqlite"])
"""For what is about the database's file."""

SUCCEEDED = Outcome(
    RenderStatus.succeeded,
    report=a_report(),
    stored=StoredResult(
        place="rnd_1", files=(StoredFile(role=OutputRole.video, name="video.mp4", bytes=1, sha256="0" * 64),)
    ),
)


async def insert(store: RenderStore, render_id: str, room: int) -> bool:
    return await store.admission.insert(NewRender(render_id, "t", a_spec()), room=room)


async def claim(store: RenderStore, render_id: str = "rnd_1", owner: str = "me") -> Claim | None:
    return await store.claims.take(render_id, owner=owner, executor="local")


async def queue(store: RenderStore, *render_ids: str) -> None:
    for render_id in render_ids:
        assert await insert(store, render_id, room=1000)


async def status_of(store: RenderStore, render_id: str) -> RenderStatus:
    render = await store.get(render_id)
    assert render is not None
    return render.status


async def test_claims_at_once_take_every_render_once(store: RenderStore) -> None:
    ids = [f"rnd_{number:02}" for number in range(20)]
    await queue(store, *ids)
    assert [waiting.id for waiting in await store.claims.queued()] == ids
    claims = await asyncio.gather(*(claim(store, one, f"owner {number}") for number in range(3) for one in ids))
    assert sorted(claimed.id for claimed in claims if claimed) == ids
    assert {claimed.attempt for claimed in claims if claimed} == {1}
    assert await store.claims.queued() == []
    assert await store.depth() == (0, 20)


async def test_room_counts_what_waits_and_what_runs(store: RenderStore) -> None:
    await queue(store, "rnd_1", "rnd_2")
    await claim(store)
    assert not await insert(store, "rnd_3", room=2)
    assert await insert(store, "rnd_3", room=3)


async def test_a_late_result_of_a_dead_attempt_is_refused(store: RenderStore) -> None:
    await queue(store, "rnd_1")
    first = await claim(store, owner="the dead")
    assert first is not None
    assert await store.leases.recover(LOST, dead=["the dead"]) == [("rnd_1", 1)]
    assert not await store.endings.finish("rnd_1", first.attempt, SUCCEEDED), "nobody runs it"
    second = await claim(store, owner="the living")
    assert second is not None
    assert second.attempt == 2
    assert not await store.endings.finish("rnd_1", first.attempt, SUCCEEDED)
    assert not await store.claims.holds("rnd_1", first.attempt)
    assert await store.claims.holds("rnd_1", second.attempt)
    assert not await store.claims.put_back("rnd_1", first.attempt, faults={"local": Fault(1, "too late")})
    progress = RenderProgress(animation_index=0, animation_percent=1, frames_done=1)
    assert not await store.events.report("rnd_1", first.attempt, [], progress)
    assert await status_of(store, "rnd_1") is RenderStatus.running
    assert await store.endings.finish("rnd_1", second.attempt, SUCCEEDED)
    assert not await store.endings.finish("rnd_1", second.attempt, LOST), "an end is written once"
    assert await status_of(store, "rnd_1") is RenderStatus.succeeded


async def test_what_cannot_be_deleted_keeps_its_key(store: RenderStore) -> None:
    for name in ("rnd_1", "rnd_2"):
        assert await store.admission.insert(NewRender(name, "t", a_spec(), key=RequestKey(name, "d")), room=9)
    assert await store.endings.end("rnd_1", status=RenderStatus.queued, outcome=CANCELED)
    assert await store.delete("rnd_1", "rnd_2")
    await store.admission.look("t", RequestKey("rnd_1", "d"))
    with pytest.raises(KeyTakenError):
        await store.admission.look("t", RequestKey("rnd_2", "d"))


async def test_progress_outlives_the_process(store: RenderStore, settings: Callable[..., Settings]) -> None:
    await queue(store, "rnd_1")
    await claim(store)
    progress = RenderProgress(animation_index=2, animation_percent=30, percent=12.5, frames_done=9, eta_seconds=4.0)
    assert await store.events.report("rnd_1", 1, [], progress)
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


async def test_the_migrations_make_the_table_that_the_code_uses(
    settings: Callable[..., Settings], database_url: str | None, request: pytest.FixtureRequest
) -> None:
    empty = settings(database_url=database_url and request.getfixturevalue("postgres").empty())
    empty.data_dir.mkdir()

    def work(connection: Connection) -> None:
        assert revision(connection) is None
        migrate(connection)
        assert revision(connection) == HEAD == ScriptDirectory(str(SCRIPTS)).get_current_head()
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        migrate(connection)
        assert revision(connection) == HEAD

    await change(empty, work)


async def change(settings: Settings, step: Callable[[Connection], None]) -> None:
    """Do something to the database, while no service has it."""
    engine = connect(make_url(settings.database))
    async with engine.begin() as connection:
        await connection.run_sync(step)
    await engine.dispose()


def back_to_the_first(connection: Connection) -> None:
    """Bring a database back to its first revision, and fill it."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.downgrade(config, "0001")
    row = {"tenant": "t", "created_at": datetime.now(UTC), "code": "class A(Scene): pass", "attempt": 0}
    old = Table("renders", MetaData(), autoload_with=connection)
    assert "requested_executor" not in old.c
    spec = a_spec(seed=7).model_dump(mode="json", exclude={"code"})
    for name, status, failures in (("rnd_1", "queued", 0), ("rnd_2", "running", 1), ("rnd_3", "failed", 2)):
        values = {**row, "id": name, "status": status, "failures": failures, "spec": spec}
        connection.execute(old.insert().values(values))


async def test_a_database_of_the_first_revision_keeps_its_renders(
    store: RenderStore, settings: Callable[..., Settings]
) -> None:
    await store.close()
    await change(settings(), back_to_the_first)
    await store.open()
    render = await store.get("rnd_1")
    assert render is not None
    assert (render.spec["executor"], render.spec["seed"], render.cost) == ("auto", 7, None)
    assert await status_of(store, "rnd_3") is RenderStatus.failed
    assert [(one.number, one.type) for one in await store.events.after("rnd_3", 0, limit=9)] == [(1, EventType.failed)]
    assert await store.leases.recover(LOST) == [], "its owner may still be about to put off its lease"
    store.leases.suspects.clock = lambda: time.monotonic() + store.leases.seconds
    assert await store.leases.recover(LOST) == [("rnd_2", 0)], "of before there were leases"
    assert await store.claims.queued() == [Waiting("rnd_1", "auto", {}), Waiting("rnd_2", "auto", {})]
    claimed = await claim(store)
    assert claimed is not None
    assert (claimed.spec, claimed.faults) == (a_spec(seed=7), {})


async def test_what_executors_failed_in_outlives_the_process(
    store: RenderStore, settings: Callable[..., Settings]
) -> None:
    await queue(store, "rnd_1")
    await claim(store)
    faults = {"modal": Fault(2, "the connection broke"), "local": Fault(1, "no disk", final=True)}
    assert await store.claims.put_back("rnd_1", 1, faults=faults)
    await store.close()
    again = RenderStore(settings())
    await again.open()
    try:
        assert await again.claims.queued() == [Waiting("rnd_1", "auto", faults)]
        claimed = await claim(again)
        assert claimed is not None
        assert claimed.faults == faults
        assert await again.claims.put_back("rnd_1", 2), "as a shutdown does"
        assert await again.claims.queued() == [Waiting("rnd_1", "auto", faults)]
    finally:
        await again.close()


@SQLITE
async def test_many_writers_at_once_take_turns_in_the_order_they_came(store: RenderStore) -> None:
    done: list[int] = []

    async def write(number: int) -> None:
        async with store.database.write() as connection:
            await connection.execute(text("UPDATE renders SET priority = priority"))
            await asyncio.sleep(0)
        done.append(number)

    await asyncio.gather(*(write(number) for number in range(50)))
    assert done == list(range(50))


async def test_a_newer_versions_database_is_left_alone(store: RenderStore, settings: Callable[..., Settings]) -> None:
    await queue(store, "rnd_1")
    await store.close()

    def age(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    def look(connection: Connection) -> None:
        assert connection.execute(text("SELECT id FROM renders")).scalars().all() == ["rnd_1"]

    await change(settings(), age)
    with pytest.raises(DatabaseError, match="revision 9999"):
        await store.open()
    await change(settings(), look)


@SQLITE
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
    with pytest.raises(DatabaseError, match=reason):
        await RenderStore(settings()).open()


@SQLITE
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://host/name", "DATABASE_URL names a mysql database"),
        (
            "postgresql://someone:secret@127.0.0.1:1/name",
            r"someone:\*\*\*@127.0.0.1:1/name cannot be reached: .*Connect call failed",
        ),
        ("nonsense", "DATABASE_URL"),
    ],
)
async def test_a_database_that_is_not_there_is_explained(
    settings: Callable[..., Settings], url: str, reason: str
) -> None:
    with pytest.raises(DatabaseError, match=reason):
        await RenderStore(settings(database_url=url)).open()
