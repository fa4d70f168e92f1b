"""What goes with a render's change of state, all or nothing: witnesses, called in the transaction that changes it.

What a state must be followed by (an event, a delivery) is written by a witness, so that there is no moment at which
one is in the database and the other is not. A witness that raises undoes the change that it was told of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Database
from manimcast.renders.model import RenderStatus
from manimcast.renders.table import renders


@dataclass(frozen=True)
class Transition:
    """A render has entered a state. ``status`` is None when it was deleted; ``attempt`` is its present or last one.

    From running to queued is a transition as well: the attempt was lost or given back.
    """

    render_id: str
    tenant: str
    status: RenderStatus | None
    attempt: int


Witness = Callable[[AsyncConnection, Transition], Awaitable[None]]
"""Writes what goes with a transition, on the connection whose transaction makes it."""

TOLD = (renders.c.id, renders.c.tenant, renders.c.attempt)
"""What a statement that changes a state returns of the rows that it changed."""


async def testify(
    connection: AsyncConnection,
    witnesses: Sequence[Witness],
    status: RenderStatus | None,
    rows: Iterable[Row[*tuple[Any, ...]]],
) -> None:
    """Call all witnesses for each of these rows (:data:`TOLD`), which are in ``status`` now."""
    for row in rows:
        transition = Transition(row.id, row.tenant, status, row.attempt)
        for witness in witnesses:
            await witness(connection, transition)


async def change(database: Database, witnesses: Sequence[Witness], statement: Update, status: RenderStatus) -> bool:
    """Bring a render into ``status``, and tell ``witnesses``; return whether ``statement`` did."""
    async with database.write() as connection:
        changed = (await connection.execute(statement.returning(*TOLD))).all()
        await testify(connection, witnesses, status, changed)
    return bool(changed)
