"""The database's own clock, as SQL expressions: what everybody writes down as the time, and measures by.

Services on several hosts have clocks that differ, and one of them may be wrong by hours. PostgreSQL has one for all of
them; SQLite's is that of the one host on which all who use it are. No service compares its own clock with a time that
another one has written.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Double, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from manimcast.database.tables import Instant


class Now(FunctionElement[float]):
    """Seconds since 1970, with fractions, when the statement runs."""

    type = Double()
    inherit_cache = True


class Present(FunctionElement[datetime]):
    """The same as a point in time, for columns of :class:`~manimcast.database.tables.Instant`."""

    type = Instant()
    inherit_cache = True


async def present(connection: AsyncConnection) -> datetime:
    """Return the time by the database's clock, for what is to be compared, or the same in several columns."""
    return (await connection.execute(select(Present()))).scalar_one()


class _Functions(Protocol):
    def create_function(self, name: str, narg: int, func: Any) -> object: ...


def lend_clock(connection: sqlite3.Connection | _Functions) -> None:
    """Let statements on a connection to SQLite see this process's clock, in both forms.

    SQLite's own has milliseconds only, and is read apart from Python's.
    """
    connection.create_function("manimcast_now", 0, time.time)
    connection.create_function("manimcast_present", 0, _written)


def _written() -> str:
    # As SQLAlchemy stores what has no type of its own in SQLite.
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@compiles(Now, "sqlite")
def _sqlite(_element: Now, _compiler: SQLCompiler, **_: Any) -> str:
    return "manimcast_now()"


@compiles(Present, "sqlite")
def _sqlite_present(_element: Present, _compiler: SQLCompiler, **_: Any) -> str:
    return "manimcast_present()"


@compiles(Now, "postgresql")
def _postgresql(_element: Now, _compiler: SQLCompiler, **_: Any) -> str:
    # Not now(): that one stands still during a transaction, which may have waited for a lock.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


@compiles(Present, "postgresql")
def _postgresql_present(_element: Present, _compiler: SQLCompiler, **_: Any) -> str:
    return "clock_timestamp()"
