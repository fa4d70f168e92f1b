"""A database of any earlier revision, filled with what it could hold, has all of it after its upgrade to the newest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Boolean, Column, Connection, DateTime, Float, Integer, MetaData, select

from manimcast.database.migrate import HEAD, SCRIPTS, revision
from manimcast.renders import RenderStatus, RenderStore
from manimcast.settings import Settings

from .scripted import a_spec
from .test_store import SUCCEEDED, change

pytestmark = pytest.mark.anyio

EARLIER = sorted(script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions())[:-1]
NOW = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
SPEC = a_spec(seed=7)
assert SUCCEEDED.report is not None
assert SUCCEEDED.stored is not None
KNOWN = {
    "status": "succeeded",
    "type": "succeeded",
    "code": SPEC.code,
    "spec": SPEC.model_dump(mode="json", exclude={"code", "files"}),
    "report": SUCCEEDED.report.model_dump(mode="json"),
    "files": SUCCEEDED.stored.model_dump(mode="json"),
    "sources": {"more.py": "A = 1"},
    "executor": "local",
    "requested_executor": "auto",
    "requested_cache": "use",
    "place": "rnd_1",
    "metadata": {"lesson": 3},
    **dict.fromkeys(("error", "progress", "cost", "cache", "faults", "expired_at"), None),
}
"""Values that mean something. ``place`` is that of the first attempt."""


def a_value(column: Column[Any]) -> Any:
    """Return a value for a column; of a primary key, and of what refers to it, always the same one."""
    match column.type:
        case Integer():
            return 1
        case _ if column.name in KNOWN:
            return KNOWN[column.name]
        case JSON():
            return {"a": [1]}
        case Boolean():
            return False
        case DateTime():
            return NOW
        case Float():
            return 1.5
    return "rnd_1"


def test_the_revisions_are_one_chain_in_their_order() -> None:
    scripts = ScriptDirectory(str(SCRIPTS))
    chain = [(one.revision, one.down_revision) for one in scripts.walk_revisions()][::-1]
    names = [f"{number:04}" for number in range(1, len(chain) + 1)]
    assert chain == list(zip(names, [None, *names], strict=False))
    assert names[-1] == HEAD


@pytest.mark.parametrize("earlier", EARLIER)
async def test_an_earlier_database_keeps_all_its_rows(
    store: RenderStore, settings: Callable[..., Settings], earlier: str
) -> None:
    old, before, after = MetaData(), {}, {}

    def rows(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in old.sorted_tables}

    def back(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.downgrade(config, earlier)
        old.reflect(connection)
        old.remove(old.tables["alembic_version"])
        for table in old.sorted_tables:
            connection.execute(table.delete())
            connection.execute(table.insert().values({column.name: a_value(column) for column in table.columns}))
        before.update(rows(connection))

    def look(connection: Connection) -> None:
        assert revision(connection) == HEAD
        after.update(rows(connection))

    await store.close()
    await change(settings(), back)
    await store.open()
    await change(settings(), look)
    assert {name: len(found) for name, found in before.items()} == dict.fromkeys(before, 1)
    assert after == before
    render, spec = await store.get("rnd_1"), await store.spec("rnd_1", tenant="rnd_1")
    assert render is not None
    assert spec is not None
    assert (render.status, render.error, spec.code, spec.seed) == (RenderStatus.succeeded, None, SPEC.code, 7)
    assert render.result is not None
    assert render.result.place == "rnd_1"
    assert [one.type for one in await store.events.after("rnd_1", 0, limit=9)]
    assert await store.videos.file("rnd_1", "video.mp4") is not None, "its video is counted"
