"""Who runs a render: taken from the queue by one service, held for an attempt, and put back.

Each is one statement whose WHERE says what must still be true: that the render waits, or that this attempt is the
present one. So two that claim a render cannot both win, and what a dead attempt still has to say is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update

from manimcast.database import ConflictError, Database, Lock, Present
from manimcast.executors.policy import Faults
from manimcast.renders.flights import under_way
from manimcast.renders.leases import again, lease
from manimcast.renders.model import CacheMode, RenderStatus
from manimcast.renders.order import in_order, waiting
from manimcast.renders.rows import Claim, Waiting, from_faults, to_faults, to_spec
from manimcast.renders.table import renders
from manimcast.renders.transitions import Witness, change, testify
from manimcast.settings import Settings

_QUEUED = RenderStatus.queued.value
_RUNNING = RenderStatus.running.value
_CLAIMED = ("id", "tenant", "attempt", "spec", "code", "sources", "requested_executor", "requested_cache", "faults")


def held(render_id: str, attempt: int) -> list[ColumnElement[bool]]:
    """Return what is true of the row while the attempt is the present one: the fence."""
    return [renders.c.id == render_id, renders.c.attempt == attempt, renders.c.status == _RUNNING]


class Claims:
    """Claims on the renders in ``database``; ``witnesses`` see each that is taken or given back."""

    def __init__(self, database: Database, witnesses: Sequence[Witness], settings: Settings) -> None:
        self._database = database
        self._witnesses = witnesses
        self._lease = settings.lease_ttl
        self._tenant_slots = settings.tenant_slots

    async def queued(
        self, *, asking: Collection[str] | None = None, limit: int | None = None, after: int = 0
    ) -> list[Waiting]:
        """Return the renders that wait, the next one first; what is over its tenant's ``TENANT_SLOTS`` is left out.

        With ``asking`` those that ask for other executors are left out, unless they were failed before. ``limit``
        leaves so many, behind the first ``after``.
        """
        queue = waiting()
        statement = in_order()
        if self._tenant_slots is not None:
            statement = statement.where(queue.c.share <= self._tenant_slots)
        if asking is not None:
            statement = statement.where(queue.c.requested_executor.in_(asking) | queue.c.faults.is_not(None))
        return await self._waiting(statement.limit(limit).offset(after) if limit is not None else statement)

    async def in_need(self, *, asking: Collection[str]) -> list[Waiting]:
        """Return the renders that wait, and either were failed before or ask for none of these executors."""
        waits = (renders.c.status == _QUEUED, ~under_way(renders.c.flight))
        is_in_need = renders.c.faults.is_not(None) | renders.c.requested_executor.not_in(asking)
        columns = (renders.c.id, renders.c.requested_executor, renders.c.faults)
        return await self._waiting(select(*columns).where(*waits, is_in_need))

    async def _waiting(self, statement: Select[Any]) -> list[Waiting]:
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [Waiting(row.id, row.requested_executor, to_faults(row.faults)) for row in rows]

    async def take(self, render_id: str, *, owner: str, executor: str) -> Claim | None:
        """Take a render that waits and begin its next attempt; return None if it does not wait any more."""
        # Who meets a render that another service is just taking goes on to the next one instead of waiting.
        free = select(renders.c.id).where(
            renders.c.id == render_id, renders.c.status == _QUEUED, ~under_way(renders.c.flight)
        )
        statement = (
            update(renders)
            .where(renders.c.id.in_(free.with_for_update(skip_locked=True)), *self._within_slots())
            .values(
                status=_RUNNING,
                attempt=renders.c.attempt + 1,
                owner=owner,
                lease_until=lease(self._lease),
                started_at=Present(),
                executor=executor,
                progress=None,
            )
            .returning(*(renders.c[name] for name in _CLAIMED))
        )
        # How many a tenant has running does not change between the look at it and the claim.
        try:
            async with self._database.write(Lock.claims if self._tenant_slots is not None else None) as connection:
                row = (await connection.execute(statement)).first()
                if row is not None:
                    await testify(connection, self._witnesses, RenderStatus.running, [row])
        except ConflictError:  # another service has just begun an equal one
            return None
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
        async with self._database.read() as connection:
            return (await connection.execute(select(renders.c.id).where(*held(render_id, attempt)))).first() is not None

    async def put_back(self, render_id: str, attempt: int, *, faults: Faults | None = None) -> bool:
        """Queue the render again, in its old place, with ``faults`` as what executors have failed in.

        Refused when the attempt is no longer the present one.
        """
        values = again() if faults is None else again() | {"faults": from_faults(faults)}
        statement = update(renders).where(*held(render_id, attempt)).values(values)
        return await change(self._database, self._witnesses, statement, RenderStatus.queued)

    def _within_slots(self) -> list[ColumnElement[bool]]:
        if self._tenant_slots is None:
            return []
        other = renders.alias()
        running = select(func.count()).where(other.c.tenant == renders.c.tenant, other.c.status == _RUNNING)
        return [running.scalar_subquery() < self._tenant_slots]
