"""The table of renders, one method for each thing that happens to a row.

Every change is one statement whose WHERE says what must still be true, so that two of them cannot both win, and
each tells whether it did. That holds among any number of services that work with the same database. What must go with
a change is written in its transaction (:mod:`manimcast.renders.transitions`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, delete, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Database, DatabaseError, Lock, Now
from manimcast.executors.policy import Faults
from manimcast.renders.events import EventLog, Said
from manimcast.renders.flights import abandon, has_room, land, orphans, retold, under_way
from manimcast.renders.idempotency import note
from manimcast.renders.leases import Leases, again, lease
from manimcast.renders.model import CacheMode, Render, RenderStatus
from manimcast.renders.order import in_order, position, turn, waiting
from manimcast.renders.rows import (
    LISTED,
    Claim,
    NewRender,
    Outcome,
    State,
    Waiting,
    from_faults,
    to_faults,
    to_render,
    to_spec,
    to_state,
)
from manimcast.renders.table import idempotency_keys, renders
from manimcast.renders.transitions import TOLD, Witness, testify
from manimcast.renders.videos import GoneError, Videos, hide, show
from manimcast.settings import Settings
from manimcast.spec import RenderSpec

logger = logging.getLogger(__name__)

AT_ONCE = 500
"""Ids that one statement names."""

_QUEUED = RenderStatus.queued.value
_RUNNING = RenderStatus.running.value
_STATE = (
    *(renders.c.id, renders.c.status, renders.c.attempt, renders.c.last_event),
    (renders.c.lease_until > Now()).label("is_live"),
)
_CLAIMED = ("id", "tenant", "attempt", "spec", "code", "sources", "requested_executor", "requested_cache", "faults")


Forget = Callable[[AsyncConnection, str], Awaitable[None]]
"""Removes what is kept about something that is deleted."""


class _NoRoom(Exception):  # noqa: N818
    """The queue is full."""


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
    """

    def __init__(self, settings: Settings) -> None:
        self.database = Database(settings)
        self.events = EventLog(self.database)
        self.witnesses: list[Witness] = [self.events.witness]
        self.forgetting: list[Forget] = []
        self.leases = Leases(self.database, settings.lease_ttl, self.witnesses)
        self._tenant_slots = settings.tenant_slots
        self._key_lifetime = settings.idempotency_ttl
        self._flight_limit = settings.flight_limit
        self.videos = Videos(self.database)

    async def open(self) -> None:
        """Connect, and bring the tables up to date; see :meth:`Database.open`."""
        await self.database.open()

    async def close(self) -> None:
        """Let go of the database, once the statements that are under way have ended."""
        await self.database.close()

    async def insert(self, new: NewRender, *, room: int) -> bool:
        """Queue a render, unless ``room`` or more are queued or running already; tell whether it was.

        Equal requests count once, and up to ``FLIGHT_LIMIT`` of them are queued.
        Raises :class:`KeyTakenError` when its key belongs to another one.
        """
        values = new.values() | {"status": _QUEUED, "attempt": 0}
        columns: list[ColumnElement[Any]] = [literal(value, renders.c[name].type) for name, value in values.items()]
        row = select(*columns, turn(new.priority)).where(has_room(new.flight, room=room, limit=self._flight_limit))
        try:
            async with self.database.write(Lock.admission) as connection:
                await self._note_key(connection, new)
                entering = insert(renders).from_select([*values, "turn"], row).returning(*TOLD)
                entered = (await connection.execute(entering)).all()
                if not entered:
                    raise _NoRoom
                await testify(connection, self.witnesses, RenderStatus.queued, entered)
        except _NoRoom:  # and with it the key is not noted
            return False
        return True

    async def insert_running(self, new: NewRender, *, owner: str, executor: str) -> Claim:
        """Enter a render whose first attempt begins at once, as it takes no slot of any executor.

        Raises :class:`KeyTakenError` when its key belongs to another one.
        """
        values = new.values() | {
            "status": _RUNNING,
            "attempt": 1,
            "owner": owner,
            "started_at": datetime.now(UTC),
            "executor": executor,
            "lease_until": lease(self.leases.seconds),
            "turn": turn(new.priority),
        }
        async with self.database.write() as connection:
            await self._note_key(connection, new)
            entered = (await connection.execute(insert(renders).values(values).returning(*TOLD))).all()
            await testify(connection, self.witnesses, RenderStatus.running, entered)
        return Claim(new.id, new.tenant, 1, new.spec, new.requested, cache=new.cache)

    async def insert_shared(self, new: NewRender, *, executor: str, outcome: Outcome) -> bool:
        """Enter a render that has ended with the video of another one; False when that is gone.

        Raises :class:`KeyTakenError` when its key belongs to another one.
        """
        now = datetime.now(UTC)
        values = new.values() | outcome.values(now)
        values |= {"attempt": 1, "started_at": now, "executor": executor, "turn": turn(new.priority)}
        try:
            async with self.database.write() as connection:
                await self._note_key(connection, new)
                if not await show(connection, new.tenant, outcome):
                    raise GoneError
                entered = (await connection.execute(insert(renders).values(values).returning(*TOLD))).all()
                await self.events.retell(connection, [new.id], retold(outcome, executor))
                await testify(connection, self.witnesses, outcome.status, entered)
        except GoneError:
            return False
        return True

    async def _note_key(self, connection: AsyncConnection, new: NewRender) -> None:
        if new.key is not None:
            await note(connection, new.tenant, new.key, new.id, lifetime=self._key_lifetime)

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
        is_quiet = or_(renders.c.lease_until.is_(None), renders.c.lease_until < Now())
        async with self.database.write() as connection:
            going = delete(renders).where(*is_over, is_quiet).returning(*TOLD, renders.c.place)
            gone = (await connection.execute(going)).all()
            if gone:
                await hide(connection, [row.place for row in gone])
                await connection.execute(delete(idempotency_keys).where(idempotency_keys.c.render_id.in_(render_ids)))
                await testify(connection, self.witnesses, None, gone)
        return bool(gone)

    async def get(self, render_id: str, *, tenant: str | None = None) -> Render | None:
        """Return the render as the table has it; with ``tenant``, only if it is that tenant's."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(*LISTED).where(*_of(render_id, tenant)))).first()
            if row is None:
                return None
            place = (await connection.execute(position(render_id))).scalar_one() if row.status == _QUEUED else None
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

    async def queued(self) -> list[Waiting]:
        """Return the renders that wait, the next one first; what is over its tenant's ``TENANT_SLOTS`` is left out."""
        queue = waiting()
        statement = in_order(queue)
        if self._tenant_slots is not None:
            statement = statement.where(queue.c.share <= self._tenant_slots)
        async with self.database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [Waiting(row.id, row.requested_executor, to_faults(row.faults)) for row in rows]

    async def claim(self, render_id: str, *, owner: str, executor: str) -> Claim | None:
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
                lease_until=lease(self.leases.seconds),
                started_at=datetime.now(UTC),
                executor=executor,
                progress=None,
            )
            .returning(*(renders.c[name] for name in _CLAIMED))
        )
        # How many a tenant has running does not change between the look at it and the claim.
        try:
            async with self.database.write(Lock.claims if self._tenant_slots is not None else None) as connection:
                row = (await connection.execute(statement)).first()
                if row is not None:
                    await testify(connection, self.witnesses, RenderStatus.running, [row])
        except DatabaseError as error:
            if isinstance(error.__cause__, IntegrityError):  # another service has just begun an equal one
                return None
            raise
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
        async with self.database.read() as connection:
            return (
                await connection.execute(select(renders.c.id).where(*_attempt(render_id, attempt)))
            ).first() is not None

    async def finish(self, render_id: str, attempt: int, outcome: Outcome, said: Sequence[Said] = ()) -> bool:
        """End the render as the attempt ended, after the last things that it ``said``.

        With it end all that wait for its end (:mod:`.flights`). Refused when the attempt is no longer the present one,
        and when the video that it shares is gone.
        """
        values = outcome.values(datetime.now(UTC)) | {"lease_until": None}
        statement = update(renders).where(*_attempt(render_id, attempt)).values(values)
        columns = (*TOLD, renders.c.flight, renders.c.executor)
        try:
            async with self.database.write() as connection:
                if said:
                    await self.events.append(connection, render_id, attempt, said)
                ended = (await connection.execute(statement.returning(*columns))).first()
                if ended is None:
                    return False
                if outcome.stored is not None and not await show(connection, ended.tenant, outcome):
                    raise GoneError
                await testify(connection, self.witnesses, outcome.status, [ended])
                landed = await land(connection, self.events, self.witnesses, ended, outcome)
        except GoneError:
            return False
        try:
            while landed:
                async with self.database.write() as connection:
                    landed = await land(connection, self.events, self.witnesses, ended, outcome)
        except GoneError:
            pass  # the others are rendered
        except DatabaseError as error:  # this one has ended all the same
            logger.warning("equal renders were left in the queue: %s", error)
        return True

    async def abandon(self, render_id: str) -> bool:
        """Note that whoever asked for a running render has left; False unless others wait for its end."""
        async with self.database.write() as connection:
            return await abandon(connection, render_id)

    async def orphans(self, render_id: str) -> list[tuple[str, str]]:
        """Return ids and tenants of renders that were abandoned for ones like this, and for which nobody waits now."""
        async with self.database.read() as connection:
            flight = (await connection.execute(select(renders.c.flight).where(renders.c.id == render_id))).scalar()
            rows = await orphans(connection, flight) if flight is not None else []
        return [(row.id, row.tenant) for row in rows]

    async def put_back(self, render_id: str, attempt: int, *, faults: Faults | None = None) -> bool:
        """Queue the render again, in its old place, with ``faults`` as what executors have failed in.

        Refused when the attempt is no longer the present one.
        """
        values = again() if faults is None else again() | {"faults": from_faults(faults)}
        statement = update(renders).where(*_attempt(render_id, attempt)).values(values)
        return await self._change(statement, RenderStatus.queued)

    async def end(self, render_id: str, *, status: RenderStatus, outcome: Outcome) -> bool:
        """End the render whoever runs it, if it is in ``status`` (queued or running); tell whether it was."""
        statement = update(renders).where(renders.c.id == render_id, renders.c.status == status.value)
        return await self._change(statement.values(outcome.values(datetime.now(UTC))), outcome.status)

    async def state(self, render_id: str, *, tenant: str) -> State | None:
        """Return where a tenant's render stands."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(*_STATE).where(*_of(render_id, tenant)))).first()
        return None if row is None else to_state(row)

    async def states(self, render_ids: Collection[str]) -> dict[str, State]:
        """Return where each of these renders stands, as the table has it. What does not exist is left out."""
        found: dict[str, State] = {}
        async with self.database.read() as connection:
            for chunk in _chunks(sorted(render_ids), AT_ONCE):
                rows = await connection.execute(select(*_STATE).where(renders.c.id.in_(chunk)))
                found |= {row.id: to_state(row) for row in rows}
        return found

    async def _change(self, statement: Update, status: RenderStatus) -> bool:
        """Bring a render into ``status``; tell whether ``statement`` did."""
        async with self.database.write() as connection:
            changed = (await connection.execute(statement.returning(*TOLD))).all()
            await testify(connection, self.witnesses, status, changed)
        return bool(changed)

    def _within_slots(self) -> list[ColumnElement[bool]]:
        if self._tenant_slots is None:
            return []
        other = renders.alias()
        running = select(func.count()).where(other.c.tenant == renders.c.tenant, other.c.status == _RUNNING)
        return [running.scalar_subquery() < self._tenant_slots]


def _of(render_id: str, tenant: str | None) -> list[ColumnElement[bool]]:
    return [renders.c.id == render_id, *([renders.c.tenant == tenant] if tenant is not None else [])]


def _attempt(render_id: str, attempt: int) -> list[ColumnElement[bool]]:
    return [renders.c.id == render_id, renders.c.attempt == attempt, renders.c.status == _RUNNING]


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
