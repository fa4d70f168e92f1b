"""Whose render is next: the order of the queue, as SQL.

Within a tenant's renders the order is that of ``turn``: the second in which the render was queued, by the database's
clock, less :data:`STEP` for each step of its priority. So a higher priority overtakes what has come lately, and
nothing waits for ever, as everything's turn stays where it is while that of newcomers moves on.

Between tenants the shares are fair: a tenant's next render counts as its first, second, ... of those that run or wait,
and lower numbers go first. Behind one tenant's thousand renders, another's first is the next to start.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Now
from manimcast.renders.flights import under_way
from manimcast.renders.table import renders

STEP = 60.0
"""Seconds that one step of priority is worth."""
LOWEST, HIGHEST = -10, 10
"""Priorities that a client may ask for."""

ORDER = ("share", "turn", "id")
"""Columns of :func:`waiting` by which the queue is ordered."""


def turn(priority: int) -> ColumnElement[float]:
    """Return the ``turn`` of a render that is queued now."""
    return Now() - priority * STEP


@cache  # to make a statement takes longer than to carry it out
def waiting() -> Subquery:
    """Return the renders that wait, each with its ``share``: which of its tenant's it would be to run, from 1.

    What waits for the end of an equal one takes no place in the queue.
    """
    running = (
        select(renders.c.tenant, func.count().label("running"))
        .where(renders.c.status == "running")
        .group_by(renders.c.tenant)
        .subquery()
    )
    number = func.row_number().over(partition_by=renders.c.tenant, order_by=(renders.c.turn, renders.c.id))
    columns = (renders.c.id, renders.c.tenant, renders.c.turn, renders.c.requested_executor, renders.c.faults)
    return (
        select(*columns, (number + func.coalesce(running.c.running, 0)).label("share"))
        .select_from(renders.outerjoin(running, running.c.tenant == renders.c.tenant))
        .where(renders.c.status == "queued", ~under_way(renders.c.flight))
        .subquery()
    )


@cache
def in_order() -> Select[Any]:
    """Return the rows of :func:`waiting`, the next one first."""
    queue = waiting()
    return select(queue).order_by(*(queue.c[name] for name in ORDER))


async def position(connection: AsyncConnection, render_id: str) -> int:
    """Return how manieth in the queue a render is, from 1; 0 when it does not wait."""
    found = await connection.execute(_position(), {"render_id": render_id})
    return found.scalar() or 0


@cache
def _position() -> Select[int]:
    queue = waiting()
    place = func.row_number().over(order_by=tuple(queue.c[name] for name in ORDER))
    placed = select(queue.c.id, place.label("place")).subquery()  # all of it is numbered in one pass
    return select(placed.c.place).where(placed.c.id == bindparam("render_id"))
