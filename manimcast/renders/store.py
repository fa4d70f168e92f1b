"""The table of renders, one method for each thing that happens to a row.

Every change is one statement whose WHERE says what must still be true, so that two of them cannot both win, and
each tells whether it did. The table is SQLite's, in ``DATA_DIR`` by default, through aiosqlite; its statements
are ones that PostgreSQL takes as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Update, event, func, insert, literal, make_url, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from manimcast.executors.policy import Faults
from manimcast.renders.errors import StoreError
from manimcast.renders.lock import FileLock
from manimcast.renders.migrate import migrate
from manimcast.renders.model import CacheMode, Render, RenderProgress, RenderStatus
from manimcast.renders.rows import LISTED, Claim, Outcome, Waiting, from_faults, to_faults, to_render, to_spec
from manimcast.renders.table import renders
from manimcast.settings import Settings
from manimcast.spec import RenderSpec

MAX_FAILURES = 3
"""Attempts that may be lost to the end of a service before a render fails."""
BUSY_TIMEOUT = 10.0
"""Seconds that a statement waits while another program writes to the same SQLite file."""

_QUEUED = RenderStatus.queued.value
_RUNNING = RenderStatus.running.value
_CLAIMED = ("id", "tenant", "attempt", "spec", "code", "requested_executor", "requested_cache", "faults")


class RenderStore:
    """The renders of one service, in its database."""

    def __init__(self, settings: Settings) -> None:
        self._url = make_url(settings.database)
        self._data = settings.data_dir.absolute()
        self._locks: list[FileLock] = []
        self._engine: AsyncEngine | None = None
        self._transactions = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def open(self) -> None:
        """Lock ``DATA_DIR``, connect, and bring the table up to date.

        Raises :class:`StoreError` when another service has the lock, when the place cannot be written, or when
        the database is a newer manimcast's.
        """
        if self._url.get_backend_name() != "sqlite":
            raise StoreError("DATABASE_URL must be an SQLite one (sqlite+aiosqlite:///...) in this version")
        try:
            self._lock()
            self._engine = _connect(self._url.set(drivername="sqlite+aiosqlite").render_as_string(hide_password=False))
            async with self._begin() as connection:
                await connection.run_sync(migrate)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the database and of the lock, once the statements that are under way have ended."""
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await self._idle.wait()
            await engine.dispose()
        while self._locks:
            self._locks.pop().release()

    async def insert(
        self,
        render_id: str,
        spec: RenderSpec,
        *,
        tenant: str,
        requested: str,
        metadata: dict[str, Any] | None,
        room: int,
        cache: CacheMode = CacheMode.use,
    ) -> bool:
        """Queue a render, unless ``room`` or more are queued or running already; tell whether it was."""
        values = _asked(render_id, spec, tenant=tenant, requested=requested, metadata=metadata, cache=cache) | {
            "status": _QUEUED,
            "attempt": 0,
        }
        busy = select(func.count()).where(renders.c.status.in_((_QUEUED, _RUNNING))).scalar_subquery()
        row = select(*(literal(value, renders.c[name].type) for name, value in values.items())).where(busy < room)
        async with self._begin() as connection:
            result = await connection.execute(insert(renders).from_select(list(values), row))
        return result.rowcount == 1

    async def insert_running(
        self,
        render_id: str,
        spec: RenderSpec,
        *,
        tenant: str,
        requested: str,
        metadata: dict[str, Any] | None,
        owner: str,
        executor: str,
    ) -> Claim:
        """Enter a render whose first attempt begins at once, as it takes no slot of any executor."""
        values = _asked(render_id, spec, tenant=tenant, requested=requested, metadata=metadata, cache=CacheMode.use) | {
            "status": _RUNNING,
            "attempt": 1,
            "owner": owner,
            "started_at": datetime.now(UTC),
            "executor": executor,
        }
        async with self._begin() as connection:
            await connection.execute(insert(renders).values(values))
        return Claim(render_id, tenant, 1, spec, requested)

    async def get(self, render_id: str, *, tenant: str | None = None) -> Render | None:
        """Return the render as the table has it; with ``tenant``, only if it is that tenant's."""
        async with self._begin() as connection:
            row = (await connection.execute(select(*LISTED).where(*_of(render_id, tenant)))).first()
            if row is None:
                return None
            ahead = select(func.count()).where(renders.c.status == _QUEUED, renders.c.id <= render_id)
            position = (await connection.execute(ahead)).scalar_one() if row.status == _QUEUED else None
        return to_render(row, position)

    async def spec(self, render_id: str, *, tenant: str) -> RenderSpec | None:
        """Return the whole request, code included."""
        async with self._begin() as connection:
            statement = select(renders.c.spec, renders.c.code).where(*_of(render_id, tenant))
            row = (await connection.execute(statement)).first()
        return None if row is None else to_spec(row)

    async def depth(self) -> tuple[int, int]:
        """Return how many renders are queued, and how many run."""
        statement = select(renders.c.status, func.count()).where(renders.c.status.in_((_QUEUED, _RUNNING)))
        async with self._begin() as connection:
            rows = (await connection.execute(statement.group_by(renders.c.status))).all()
        counts: dict[str, int] = {status: count for status, count in rows}  # noqa: C416 - rows are not tuples to mypy
        return counts.get(_QUEUED, 0), counts.get(_RUNNING, 0)

    async def queued(self) -> list[Waiting]:
        """Return the renders that wait, the next one first."""
        columns = (renders.c.id, renders.c.requested_executor, renders.c.faults)
        async with self._begin() as connection:
            rows = await connection.execute(select(*columns).where(renders.c.status == _QUEUED).order_by(renders.c.id))
        return [Waiting(row.id, row.requested_executor, to_faults(row.faults)) for row in rows]

    async def claim(self, render_id: str, *, owner: str, executor: str) -> Claim | None:
        """Take a render that waits and begin its next attempt; return None if it does not wait any more."""
        statement = (
            update(renders)
            .where(renders.c.id == render_id, renders.c.status == _QUEUED)
            .values(
                status=_RUNNING,
                attempt=renders.c.attempt + 1,
                owner=owner,
                started_at=datetime.now(UTC),
                executor=executor,
                progress=None,
            )
            .returning(*(renders.c[name] for name in _CLAIMED))
        )
        async with self._begin() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            return None
        return Claim(
            row.id,
            row.tenant,
            row.attempt,
            to_spec(row),
            row.requested_executor,
            to_faults(row.faults),
            CacheMode(row.requested_cache),
        )

    async def holds(self, render_id: str, attempt: int) -> bool:
        """Tell whether the attempt still is the present one."""
        async with self._begin() as connection:
            return (
                await connection.execute(select(renders.c.id).where(*_attempt(render_id, attempt)))
            ).first() is not None

    async def progress(self, render_id: str, attempt: int, progress: RenderProgress) -> bool:
        """Note how far the attempt is, unless it is no longer the present one."""
        values = {"progress": progress.model_dump(mode="json")}
        return await self._change(update(renders).where(*_attempt(render_id, attempt)).values(values))

    async def finish(self, render_id: str, attempt: int, outcome: Outcome) -> bool:
        """End the render as the attempt ended; refused when the attempt is no longer the present one."""
        values = outcome.values(datetime.now(UTC))
        return await self._change(update(renders).where(*_attempt(render_id, attempt)).values(values))

    async def put_back(self, render_id: str, attempt: int, *, faults: Faults | None = None) -> bool:
        """Queue the render again, in its old place, with ``faults`` as what executors have failed in.

        Refused when the attempt is no longer the present one.
        """
        values = _waiting() if faults is None else _waiting() | {"faults": from_faults(faults)}
        return await self._change(update(renders).where(*_attempt(render_id, attempt)).values(values))

    async def end(self, render_id: str, *, status: RenderStatus, outcome: Outcome) -> bool:
        """End the render whoever runs it, if it is in ``status`` (queued or running); tell whether it was."""
        statement = update(renders).where(renders.c.id == render_id, renders.c.status == status.value)
        return await self._change(statement.values(outcome.values(datetime.now(UTC))))

    async def recover(self, outcome: Outcome) -> list[str]:
        """Queue again what a dead service was running, and end with ``outcome`` what has been lost too often.

        Only for whoever holds the lock: no render can then be another's. Returns the ids of all of them.
        """
        running = renders.c.status == _RUNNING
        spent = renders.c.failures >= MAX_FAILURES - 1
        statements = (
            update(renders).where(running, spent).values(outcome.values(datetime.now(UTC))),
            update(renders).where(running).values(_waiting() | {"failures": renders.c.failures + 1}),
        )
        async with self._begin() as connection:
            return [
                render_id
                for statement in statements
                for render_id in (await connection.execute(statement.returning(renders.c.id))).scalars()
            ]

    async def _change(self, statement: Update) -> bool:
        async with self._begin() as connection:
            return (await connection.execute(statement)).rowcount == 1

    @contextlib.asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; what goes wrong in it comes out as :class:`StoreError`."""
        if self._engine is None:
            raise StoreError("the database is not open")
        self._transactions += 1
        self._idle.clear()
        try:
            async with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or error
            raise StoreError(f"the database {self._url.database} cannot be used: {reason}") from error
        finally:
            self._transactions -= 1
            if self._transactions == 0:
                self._idle.set()

    def _lock(self) -> None:
        paths = [self._data / "lock"]
        database = Path(self._url.database or "")
        if database.parent.absolute() != self._data:
            paths.append(database.with_name(f"{database.name}.lock"))
        for path in paths:
            lock = FileLock(path)
            lock.acquire()
            self._locks.append(lock)


def _connect(url: str) -> AsyncEngine:
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")
        cursor.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the writer
        cursor.execute("PRAGMA synchronous = FULL")  # what was accepted survives a power cut
        cursor.close()

    return engine


def _of(render_id: str, tenant: str | None) -> list[ColumnElement[bool]]:
    return [renders.c.id == render_id, *([renders.c.tenant == tenant] if tenant is not None else [])]


def _attempt(render_id: str, attempt: int) -> list[ColumnElement[bool]]:
    return [renders.c.id == render_id, renders.c.attempt == attempt, renders.c.status == _RUNNING]


def _asked(
    render_id: str,
    spec: RenderSpec,
    *,
    tenant: str,
    requested: str,
    metadata: dict[str, Any] | None,
    cache: CacheMode,
) -> dict[str, Any]:
    """Return the columns that say what was asked for."""
    return {
        "id": render_id,
        "tenant": tenant,
        "created_at": datetime.now(UTC),
        "code": spec.code,
        "spec": spec.model_dump(mode="json", exclude={"code"}),
        "requested_executor": requested,
        "requested_cache": cache.value,
        "metadata": metadata,
        "failures": 0,
    }


def _waiting() -> dict[str, Any]:
    """Return the columns of a render that waits again."""
    return {"status": _QUEUED, "owner": None, "executor": None, "started_at": None, "progress": None}
