"""The connection to the database: SQLite's file in ``DATA_DIR`` by default, PostgreSQL by ``DATABASE_URL``.

All that differs between the two is here and in :mod:`manimcast.database.clock`: how they are reached, how a transaction
that writes begins, and how one waits for another.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from enum import Enum
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from manimcast.database.clock import lend_clock
from manimcast.database.errors import ConflictError, DatabaseError
from manimcast.database.migrate import check, migrate, revision
from manimcast.settings import Migrate, Settings

BUSY_TIMEOUT = 10.0
"""Seconds that a statement waits for what another one is about to change."""
CONNECT_TIMEOUT = 10.0
"""Seconds to reach a PostgreSQL server."""
POOL = 10
"""Connections to a PostgreSQL server, at most."""
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}

_WRITES = "manimcast_writes"
_after: WeakKeyDictionary[AsyncConnection, list[Callable[[], None]]] = WeakKeyDictionary()


def after_commit(connection: AsyncConnection, call: Callable[[], None]) -> None:
    """Have ``call`` called once the connection's present transaction (of :meth:`Database.write`) is committed.

    If it is rolled back, it is not called.
    """
    _after.setdefault(connection, []).append(call)


class Lock(Enum):
    """What only one transaction does at a time. SQLite has one writer anyway, so it takes no such locks."""

    migration = 0x6D63_0001
    admission = 0x6D63_0002
    claims = 0x6D63_0003
    assets = 0x6D63_0004


class Database:
    """One service's way to the database."""

    def __init__(self, settings: Settings) -> None:
        try:
            self.url = make_url(settings.database)
        except ArgumentError as error:
            raise DatabaseError("DATABASE_URL is no URL; it looks like postgresql://USER:PASSWORD@HOST/NAME") from error
        self._migrates = settings.migrate is Migrate.on
        self._engine: AsyncEngine | None = None
        self._writing: AsyncEngine | None = None
        self._turn = asyncio.Lock()
        self._transactions = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_shared(self) -> bool:
        """Whether services on other hosts may work with the same database."""
        return self.url.get_backend_name() == "postgresql"

    @property
    def name(self) -> str:
        """What messages call it; without the password."""
        return self.url.render_as_string(hide_password=True) if self.is_shared else str(self.url.database)

    async def open(self) -> None:
        """Connect, and bring the tables up to date, or see that they are (``MIGRATE``).

        Raises :class:`DatabaseError` when it cannot be reached or written, when it is a newer manimcast's, or when it
        is not up to date and is not to be brought there.
        """
        try:
            self.connect()
            if self._migrates:
                await self.migrate()
            else:
                async with self.read() as connection:
                    await connection.run_sync(check)
        except BaseException:
            await self.close()
            raise

    def connect(self) -> None:
        """Make ready to reach the database, whatever its tables look like."""
        self._engine = connect(self.url)
        self._writing = self._engine.execution_options(**{_WRITES: True})

    async def migrate(self) -> None:
        """Bring the tables up to date; of several services that are about to, one does."""
        async with self.write(Lock.migration) as connection:
            await connection.run_sync(migrate)

    async def revision(self) -> str | None:
        """Return the revision of the tables; None when there are none."""
        async with self.read() as connection:
            return await connection.run_sync(revision)

    async def close(self) -> None:
        """Let go of the database, once the statements that are under way have ended."""
        if self._engine is not None:
            engine, self._engine, self._writing = self._engine, None, None
            await self._idle.wait()
            await engine.dispose()

    def read(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        """Open a transaction that only reads; what goes wrong in it comes out as :class:`DatabaseError`."""
        return self._begin(self._engine)

    @contextlib.asynccontextmanager
    async def write(self, lock: Lock | None = None) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that may write, alone among those with the same ``lock``; errors as in :meth:`read`."""
        # SQLite's own waiting knows no order: among many, one may wait until it gives up. So here they form a queue.
        async with contextlib.nullcontext() if self.is_shared else self._turn, self._begin(self._writing) as connection:
            if lock is not None and self.is_shared:
                await connection.execute(select(func.pg_advisory_xact_lock(lock.value)))
            yield connection
        for call in _after.pop(connection, ()):
            call()

    @contextlib.asynccontextmanager
    async def _begin(self, engine: AsyncEngine | None) -> AsyncIterator[AsyncConnection]:
        if engine is None:
            raise DatabaseError("the database is not open")
        self._transactions += 1
        self._idle.clear()
        try:
            async with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or error
            kind = ConflictError if isinstance(error, IntegrityError) else DatabaseError
            raise kind(f"the database {self.name} cannot be used: {reason}") from error
        except (OSError, TimeoutError) as error:  # asyncpg's, when there is no server
            reason = str(error) or "no answer"
            raise DatabaseError(f"the database {self.name} cannot be reached: {reason}") from error
        finally:
            self._transactions -= 1
            if self._transactions == 0:
                self._idle.set()


def connect(url: URL) -> AsyncEngine:
    """Return an engine for the database; nothing is reached before it is used."""
    backend = url.get_backend_name()
    if backend not in DRIVERS:
        raise DatabaseError(
            f"DATABASE_URL names a {backend} database; SQLite (sqlite:///FILE) and PostgreSQL "
            "(postgresql://USER:PASSWORD@HOST/NAME) are what manimcast works with"
        )
    url = url.set(drivername=DRIVERS[backend])
    if backend == "postgresql":
        return create_async_engine(
            url,
            pool_size=POOL,
            max_overflow=0,
            pool_pre_ping=True,  # a server that was restarted has closed the connections that wait here
            connect_args={
                "timeout": CONNECT_TIMEOUT,
                "server_settings": {"application_name": "manimcast", "lock_timeout": f"{BUSY_TIMEOUT:.0f}s"},
            },
        )
    return _sqlite(url)


def _sqlite(url: URL) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"{folder} cannot be written: {error.strerror}. Give the service's user write access to it, "
                "or set DATA_DIR (or DATABASE_URL) to a folder that it may write."
            ) from error
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        lend_clock(connection)
        connection.isolation_level = None  # transactions begin where `begin` below says
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")
        cursor.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the writer
        cursor.execute("PRAGMA synchronous = FULL")  # what was accepted survives a power cut
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # One that reads first and then writes would fail at once, however long it may wait, when another
        # process has written in between. So it takes its turn as writer at the beginning.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
