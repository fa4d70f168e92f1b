"""The renders of one service in its database: what can be looked up of them, and the parts that change them.

Renders enter by ``admission``, are run under ``claims`` and ``leases``, and end by ``endings``. Every change is one
statement whose WHERE says what must still be true, so that two of them cannot both win, and each tells whether it did.
That holds among any number of services that work with the same database. What must go with a change is written in its
transaction (:mod:`manimcast.renders.transitions`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

from sqlalchemy import ColumnElement, Delete, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Database
from manimcast.renders.admission import Admission
from manimcast.renders.claims import Claims
from manimcast.renders.endings import Endings
from manimcast.renders.events import EventLog
from manimcast.renders.leases import Leases, is_live
from manimcast.renders.model import Render, RenderStatus
from manimcast.renders.order import position
from manimcast.renders.rows import LISTED, State, to_render, to_spec, to_state
from manimcast.renders.table import batches, idempotency_keys, renders
from manimcast.renders.transitions import TOLD, Witness, testify
from manimcast.renders.videos import Videos, hide
from manimcast.settings import Settings
from manimcast.spec import RenderSpec

AT_ONCE = 500
"""Ids that one statement names."""

_QUEUED = RenderStatus.queued.value
_RUNNING = RenderStatus.running.value

Forget = Callable[[AsyncConnection, str], Awaitable[None]]
"""Removes what is kept about something that is deleted."""


class RenderStore:
    """The renders of one service, in its database.

    Attributes
    ----------
    events
        What has happened to the renders.
    witnesses
        Called for every change of a render's state, in its transaction. To be complete before anything is changed.
    forgetting
        Called with the id of a batch that is deleted, in the transaction that does it.
    admission, claims, leases, endings
        What changes a render: see there.
    videos
        The stored videos, counted by the renders that show them.
    """

    def __init__(self, settings: Settings) -> None:
        self.database = Database(settings)
        self.events = EventLog(self.database)
        self.witnesses: list[Witness] = [self.events.witness]
        self.forgetting: list[Forget] = []
        self.admission = Admission(self.database, self.events, self.witnesses, settings)
        self.claims = Claims(self.database, self.witnesses, settings)
        self.leases = Leases(self.database, settings.lease_ttl, self.witnesses)
        self.endings = Endings(self.database, self.events, self.witnesses)
        self.videos = Videos(self.database)
        live = is_live(renders.c.lease_until, settings.lease_ttl).label("is_live")
        self._state = (renders.c.id, renders.c.status, renders.c.attempt, renders.c.last_event, live)

    async def open(self) -> None:
        """Connect, and bring the tables up to date; see :meth:`Database.open`."""
        await self.database.open()

    async def close(self) -> None:
        """Let go of the database, once the statements that are under way have ended."""
        await self.database.close()

    async def newest(
        self, *, tenant: str, statuses: Collection[RenderStatus] = (), before: str | None = None, limit: int
    ) -> list[Render]:
        """Return up to ``limit`` renders of a tenant, the newest first: those older than the one with id ``before``."""
        conditions = [renders.c.tenant == tenant]
        if statuses:
            conditions.append(renders.c.status.in_([status.value for status in statuses]))
        if before is not None:
            conditions.append(renders.c.id < before)
        statement = select(*LISTED).where(*conditions).order_by(renders.c.id.desc()).limit(limit)
        async with self.database.read() as connection:
            return [to_render(row) for row in await connection.execute(statement)]

    async def delete(self, *render_ids: str) -> bool:
        """Forget renders that have ended and of which nothing runs any more; tell whether any was one."""
        is_over = (renders.c.id.in_(render_ids), renders.c.status.not_in((_QUEUED, _RUNNING)))
        is_quiet = or_(renders.c.lease_until.is_(None), ~is_live(renders.c.lease_until, self.leases.seconds))
        async with self.database.write() as connection:
            going = delete(renders).where(*is_over, is_quiet).returning(*TOLD, renders.c.place)
            gone = (await connection.execute(going)).all()
            if gone:
                await hide(connection, [row.place for row in gone])
                await connection.execute(_forget_keys([row.id for row in gone]))
                await testify(connection, self.witnesses, None, gone)
        return bool(gone)

    async def delete_batches(self, connection: AsyncConnection, batch_ids: Collection[str]) -> int:
        """Forget batches and what is kept about them; their renders are the caller's to delete before.

        Returns how many of them were there.
        """
        gone = await connection.execute(delete(batches).where(batches.c.id.in_(batch_ids)))
        await connection.execute(_forget_keys(batch_ids))
        for forget in self.forgetting:
            for batch_id in batch_ids:
                await forget(connection, batch_id)
        return gone.rowcount

    async def get(self, render_id: str, *, tenant: str | None = None) -> Render | None:
        """Return the render as the table has it; with ``tenant``, only if it is that tenant's."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(*LISTED).where(*_of(render_id, tenant)))).first()
            if row is None:
                return None
            place = await position(connection, render_id) if row.status == _QUEUED else None
        # Who waits for the end of an equal one has no place: nothing else is begun before that.
        return to_render(row, (place or 1) if row.status == _QUEUED else None)

    async def spec(self, render_id: str, *, tenant: str) -> RenderSpec | None:
        """Return the whole request, code included."""
        async with self.database.read() as connection:
            statement = select(renders.c.spec, renders.c.code, renders.c.sources).where(*_of(render_id, tenant))
            row = (await connection.execute(statement)).first()
        return None if row is None else to_spec(row)

    async def depth(self) -> tuple[int, int]:
        """Return how many renders are queued, and how many run."""
        statement = select(renders.c.status, func.count()).where(renders.c.status.in_((_QUEUED, _RUNNING)))
        async with self.database.read() as connection:
            rows = (await connection.execute(statement.group_by(renders.c.status))).all()
        counts: dict[str, int] = {status: count for status, count in rows}  # noqa: C416 - rows are not tuples to mypy
        return counts.get(_QUEUED, 0), counts.get(_RUNNING, 0)

    async def state(self, render_id: str, *, tenant: str) -> State | None:
        """Return where a tenant's render stands."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(*self._state).where(*_of(render_id, tenant)))).first()
        return None if row is None else to_state(row)

    async def states(self, render_ids: Collection[str]) -> dict[str, State]:
        """Return where each of these renders stands, as the table has it. What does not exist is left out."""
        found: dict[str, State] = {}
        async with self.database.read() as connection:
            for chunk in _chunks(sorted(render_ids), AT_ONCE):
                rows = await connection.execute(select(*self._state).where(renders.c.id.in_(chunk)))
                found |= {row.id: to_state(row) for row in rows}
        return found


def _of(render_id: str, tenant: str | None) -> list[ColumnElement[bool]]:
    return [renders.c.id == render_id, *([renders.c.tenant == tenant] if tenant is not None else [])]


def _forget_keys(ids: Collection[str]) -> Delete:
    return delete(idempotency_keys).where(idempotency_keys.c.render_id.in_(ids))


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
