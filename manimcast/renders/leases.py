"""Who has which render for how long, and what becomes of those whose owner is gone.

A service that runs a render has it on a lease, which it puts off again and again. When it dies the lease runs out, and
whoever notices first puts the render back into the queue, or ends it when it was lost too often. Leases are measured by
the database's clock alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, false, or_, select, update

from manimcast.database import Now
from manimcast.database.connection import Database
from manimcast.renders.model import RenderStatus
from manimcast.renders.rows import Outcome
from manimcast.renders.table import renders
from manimcast.renders.transitions import TOLD, Witness, testify

MAX_FAILURES = 3
"""Attempts that may be lost to the end of a service before a render fails."""


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


class Leases:
    """The leases of the renders in ``database``, of ``seconds`` each; ``witnesses`` see what becomes of them."""

    def __init__(self, database: Database, seconds: float, witnesses: Sequence[Witness] = ()) -> None:
        self._database = database
        self._witnesses = witnesses
        self.seconds = seconds

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

        That is what has outlived its lease, and what the ``dead`` owners had. Returns the ids of all of them, each with
        the attempt that was lost.
        """
        is_lost = or_(renders.c.lease_until < Now(), renders.c.owner.in_(dead) if dead else false())
        running = renders.c.status == "running"
        spent = renders.c.failures >= MAX_FAILURES - 1
        end = outcome.values(datetime.now(UTC)) | {"lease_until": None}
        lost_again = again() | {"failures": renders.c.failures + 1}
        statements = (
            (outcome.status, update(renders).where(running, is_lost, spent).values(end)),
            (RenderStatus.queued, update(renders).where(running, is_lost).values(lost_again)),
        )
        # Without a look first there would be a writer every few seconds for nothing.
        if not await self._is_any(running & is_lost):
            return []
        recovered: list[tuple[str, int]] = []
        async with self._database.write() as connection:
            for status, statement in statements:
                rows = (await connection.execute(statement.returning(*TOLD))).all()
                await testify(connection, self._witnesses, status, rows)
                recovered += [(row.id, row.attempt) for row in rows]
        return recovered

    async def _is_any(self, condition: ColumnElement[bool]) -> bool:
        async with self._database.read() as connection:
            return (await connection.execute(select(renders.c.id).where(condition).limit(1))).first() is not None
