"""Who has which render for how long, and what becomes of those whose owner is gone.

A service that runs a render has it on a lease, which it puts off again and again. When it dies the lease runs out, and
whoever notices first puts the render back into the queue, or ends it when it was lost too often. Leases are measured by
the database's clock; as that may be set while renders run, a lease that has run out by it must also have been left
alone for a moment, by the clock of whoever looks, which nobody sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Now
from manimcast.database.connection import Database
from manimcast.renders.model import RenderStatus
from manimcast.renders.rows import Outcome
from manimcast.renders.table import renders
from manimcast.renders.transitions import TOLD, Witness, testify

MAX_FAILURES = 3
"""Attempts that may be lost to the end of a service before a render fails."""

BEATS = 5
"""How many times a lease is put off before it would have run out."""
FAR = 2
"""Leases that one may end in the future. None is given so far ahead; one that is was given before the clock was set."""


def lease(seconds: float) -> ColumnElement[float]:
    """Return until when a render is its owner's that is begun or renewed now."""
    return Now() + seconds


def again() -> dict[str, object]:
    """Return the columns of a render that waits again."""
    return {
        "status": "queued",
        "owner": None,
        "lease_until": None,
        "executor": None,
        "started_at": None,
        "progress": None,
    }


def is_live(until: ColumnElement[Any], seconds: float) -> ColumnElement[bool]:
    """Return whether a lease that ends at ``until`` is somebody's still."""
    return until.between(Now(), Now() + FAR * seconds)


class Suspects:
    """The rows of ``table`` whose leases, of ``seconds`` each, seem to have run out, and since when.

    Whoever lives puts off its lease several times before it ends, and so does it soon when the database's clock has
    been set forward. One that has been left as it was meanwhile is nobody's; that is measured by ``clock``, which is
    never set. The table has the columns ``status``, ``attempt`` and ``lease_until``, and a primary key of one column.
    """

    def __init__(self, table: Table, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        (self._key,) = table.primary_key.columns
        self._columns = table.c
        self._seconds = seconds
        self.clock = clock
        self._since: dict[tuple[str, int, float], float] = {}

    async def lost(self, connection: AsyncConnection) -> list[ColumnElement[bool]]:
        """Return of each row whose lease is lost what is true of it as long as its lease is as it was seen."""
        until, running = self._columns.lease_until, self._columns.status == "running"
        soon, late = 2 * self._seconds / BEATS, FAR * self._seconds
        patience = case((until < Now(), soon), (until > Now() + FAR * self._seconds, late), else_=None)
        some = select(self._key.label("key"), self._columns.attempt, until, patience.label("patience"))
        rows = (await connection.execute(some.where(running, patience.is_not(None)))).all()
        now, before = self.clock(), self._since
        self._since = {}
        conditions = []
        for row in rows:
            seen = (row.key, row.attempt, row.lease_until)
            since = self._since[seen] = before.get(seen, now)
            if now - since >= row.patience:
                mine = (self._key == row.key, self._columns.attempt == row.attempt, until == row.lease_until)
                conditions.append(and_(running, *mine))
        return conditions


class Leases:
    """The leases of the renders in ``database``, of ``seconds`` each; ``witnesses`` see what becomes of them."""

    def __init__(self, database: Database, seconds: float, witnesses: Sequence[Witness] = ()) -> None:
        self._database = database
        self._witnesses = witnesses
        self.seconds = seconds
        self.suspects = Suspects(renders, seconds)

    async def renew(self, owner: str, render_ids: Collection[str]) -> None:
        """Put off the ends of the leases of ``owner`` on these, as far as it still has them."""
        ours = (renders.c.id.in_(render_ids), renders.c.owner == owner, renders.c.status == "running")
        async with self._database.write() as connection:
            await connection.execute(update(renders).where(*ours).values(lease_until=lease(self.seconds)))

    async def release(self, render_id: str, attempt: int) -> None:
        """Say that nothing runs any more of an attempt whose render was ended by somebody else."""
        mine = (renders.c.id == render_id, renders.c.attempt == attempt, renders.c.status != "running")
        async with self._database.write() as connection:
            await connection.execute(update(renders).where(*mine).values(lease_until=None))

    async def recover(self, outcome: Outcome, *, dead: Collection[str] = ()) -> list[tuple[str, int]]:
        """Queue again what nobody runs any more, and end with ``outcome`` what has been lost too often.

        That is what has outlived its lease since an earlier call, and what the ``dead`` owners had. Returns the ids of
        all of them, each with the attempt that was lost.
        """
        is_lost = await self._lost(dead)
        if is_lost is None:
            return []
        running = renders.c.status == "running"
        spent = renders.c.failures >= MAX_FAILURES - 1
        end = outcome.values() | {"lease_until": None}
        lost_again = again() | {"failures": renders.c.failures + 1}
        statements = (
            (outcome.status, update(renders).where(running, is_lost, spent).values(end)),
            (RenderStatus.queued, update(renders).where(running, is_lost).values(lost_again)),
        )
        recovered: list[tuple[str, int]] = []
        async with self._database.write() as connection:
            for status, statement in statements:
                rows = (await connection.execute(statement.returning(*TOLD))).all()
                await testify(connection, self._witnesses, status, rows)
                recovered += [(row.id, row.attempt) for row in rows]
        return recovered

    async def _lost(self, dead: Collection[str]) -> ColumnElement[bool] | None:
        """Look for running renders that are lost, and return which rows these are; None when there are none.

        Without a look first there would be a writer every few seconds for nothing.
        """
        of_dead = renders.c.owner.in_(dead)
        async with self._database.read() as connection:
            lost = await self.suspects.lost(connection)
            if dead:
                some = select(renders.c.id).where(of_dead, renders.c.status == "running").limit(1)
                lost += [of_dead] if (await connection.execute(some)).first() is not None else []
        return or_(*lost) if lost else None
