"""The door of the table: how a render enters it, queued, running, or at its end already.

With the row its key is noted, so that of any number of equal requests at once one enters it and the others find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import ConflictError, Database, Lock, Present, present
from manimcast.renders.events import EventLog
from manimcast.renders.flights import has_room, retold
from manimcast.renders.idempotency import RequestKey, look, note
from manimcast.renders.leases import lease
from manimcast.renders.model import RenderStatus
from manimcast.renders.order import turn
from manimcast.renders.rows import Claim, NewRender, Outcome
from manimcast.renders.table import renders
from manimcast.renders.transitions import TOLD, Witness, testify
from manimcast.renders.videos import GoneError, show
from manimcast.settings import Settings


class _NoRoom(Exception):  # noqa: N818
    """The queue is full."""


class Admission:
    """Enters renders into the table of ``database``; ``witnesses`` see each that is."""

    def __init__(self, database: Database, events: EventLog, witnesses: Sequence[Witness], settings: Settings) -> None:
        self._database = database
        self._events = events
        self._witnesses = witnesses
        self._key_lifetime = settings.idempotency_ttl
        self._flight_limit = settings.flight_limit
        self._lease = settings.lease_ttl

    async def look(self, tenant: str, key: RequestKey) -> None:
        """Raise :class:`KeyTakenError` when the key belongs to a render or a batch already."""
        async with self._database.read() as connection:
            await look(connection, tenant, key, lifetime=self._key_lifetime)

    async def insert(self, new: NewRender, *, room: int) -> bool:
        """Queue a render, unless ``room`` or more are queued or running already; tell whether it was.

        Equal requests count once, and up to ``FLIGHT_LIMIT`` of them are queued.
        Raises :class:`KeyTakenError` when its key belongs to another one.
        """
        values = new.values() | {"status": RenderStatus.queued.value, "attempt": 0}
        columns: list[ColumnElement[Any]] = [literal(value, renders.c[name].type) for name, value in values.items()]
        row = select(*columns, Present(), turn(new.priority)).where(
            has_room(new.flight, room=room, limit=self._flight_limit)
        )
        try:
            async with self._database.write(Lock.admission) as connection:
                await self._note_key(connection, new)
                entering = insert(renders).from_select([*values, "created_at", "turn"], row).returning(*TOLD)
                entered = (await connection.execute(entering)).all()
                if not entered:
                    raise _NoRoom
                await testify(connection, self._witnesses, RenderStatus.queued, entered)
        except _NoRoom:  # and with it the key is not noted
            return False
        return True

    async def insert_running(self, new: NewRender, *, owner: str, executor: str) -> Claim | None:
        """Enter a render whose first attempt begins at once, as it takes no slot of any executor.

        None, and nothing entered, while an equal one runs. Raises :class:`KeyTakenError` when its key belongs to
        another one.
        """
        values = new.values() | {
            "status": RenderStatus.running.value,
            "attempt": 1,
            "owner": owner,
            "created_at": Present(),
            "started_at": Present(),
            "executor": executor,
            "lease_until": lease(self._lease),
            "turn": turn(new.priority),
        }
        try:
            async with self._database.write() as connection:
                await self._note_key(connection, new)
                entered = (await connection.execute(insert(renders).values(values).returning(*TOLD))).all()
                await testify(connection, self._witnesses, RenderStatus.running, entered)
        except ConflictError:
            return None
        return Claim(new.id, new.tenant, 1, new.spec, new.requested, cache=new.cache)

    async def insert_shared(self, new: NewRender, *, executor: str, outcome: Outcome) -> bool:
        """Enter a render that has ended with the video of another one; False when that is gone.

        Raises :class:`KeyTakenError` when its key belongs to another one.
        """
        try:
            async with self._database.write() as connection:
                await self._note_key(connection, new)
                now = await present(connection)
                values = new.values() | outcome.values(now) | {"created_at": now, "started_at": now, "attempt": 1}
                values |= {"executor": executor, "turn": turn(new.priority)}
                if not await show(connection, new.tenant, outcome):
                    raise GoneError
                entered = (await connection.execute(insert(renders).values(values).returning(*TOLD))).all()
                await self._events.retell(connection, [new.id], retold(outcome, executor))
                await testify(connection, self._witnesses, outcome.status, entered)
        except GoneError:
            return False
        return True

    async def _note_key(self, connection: AsyncConnection, new: NewRender) -> None:
        if new.key is not None:
            await note(connection, new.tenant, new.key, new.id, lifetime=self._key_lifetime)
