"""The database's own clock, as an SQL expression.

Leases are compared by services on several hosts, whose clocks differ; the database's is one for all of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Now(FunctionElement[float]):
    """Seconds since 1970, with fractions, when the statement runs."""

    type = Double()
    inherit_cache = True


@compiles(Now, "sqlite")
def _sqlite(_element: Now, _compiler: SQLCompiler, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(Now, "postgresql")
def _postgresql(_element: Now, _compiler: SQLCompiler, **_: Any) -> str:
    # Not now(): that one stands still during a transaction, which may have waited for a lock.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
