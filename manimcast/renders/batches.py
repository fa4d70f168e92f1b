"""Batches: many renders that are asked for at once, admitted all or none, with one progress and one end.

The renders of a batch are renders like any others: queued, claimed and ended one by one, each with its own error. What
a batch adds is a row that counts those that have not ended. It is lowered in the transaction in which one ends; whoever
brings it to zero notes the end of the batch, and calls the ``witnesses`` of that, once. A batch that is to become one
video ends when that has, or cannot (:mod:`manimcast.renders.joins`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Double, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Lock, Now, Present
from manimcast.renders.batch_model import Batch, shown
from manimcast.renders.errors import BatchNotFound, NoExecutor, QueueFull, RenderNotFound
from manimcast.renders.idempotency import RequestKey, note
from manimcast.renders.ids import IdMaker
from manimcast.renders.joins import JoinStore, enter, ready
from manimcast.renders.model import Render, RenderStatus
from manimcast.renders.order import STEP
from manimcast.renders.outcomes import CANCELED
from manimcast.renders.rows import LISTED, Draft, NewRender, WebhookWish, to_render
from manimcast.renders.service import RenderService
from manimcast.renders.store import RenderStore
from manimcast.renders.table import batches, renders
from manimcast.renders.transitions import TOLD, Transition, testify
from manimcast.settings import Settings

PREFIX = "bat_"
AT_ONCE = 200
"""Renders that one transaction ends or deletes: it keeps other writers waiting."""
RETRY_AFTER = 30.0
"""Seconds after which a batch may be tried again for which there was no room."""

JOINS = "local"
"""Name of the executor that joins videos."""

BatchWitness = Callable[[AsyncConnection, str, Batch, WebhookWish | None], Awaitable[None]]
"""Told whose batch has ended, how it is then, and where that is to be told, in the transaction that ends it."""

_QUEUED, _RUNNING = RenderStatus.queued.value, RenderStatus.running.value


@dataclass(frozen=True)
class JoinWish:
    """One video is to be made of all renders; what ``skips`` leaves those out that do not succeed."""

    skips: bool = False


class Batches:
    """The batches of one service. Its methods see those of one tenant, and raise :class:`BatchNotFound` for others."""

    def __init__(self, settings: Settings, store: RenderStore, service: RenderService, joins: JoinStore) -> None:
        self._settings = settings
        self._store = store
        self._service = service
        self._ids = IdMaker(PREFIX)
        self.witnesses: list[BatchWitness] = []
        store.witnesses.append(self._count_off)
        self._joins = joins
        joins.on_end = self._close

    async def submit(
        self,
        drafts: Sequence[Draft],
        *,
        tenant: str,
        metadata: dict[str, Any] | None = None,
        key: RequestKey | None = None,
        webhook: WebhookWish | None = None,
        join: JoinWish | None = None,
    ) -> Batch:
        """Queue all of ``drafts``, in their order, or none; ``webhook`` is where the end of all is told.

        With ``join``, one video is made of all of them then. Raises :class:`NoExecutor` when one of them could not
        run, or nothing could join them, :class:`QueueFull` when there is no room for all
        (``BATCH_QUEUE_LIMIT``), and :class:`KeyTakenError` when ``key`` belongs to a batch or a render already.
        """
        if join is not None and not any(offer.name == JOINS for offer in self._service.offers()):
            raise NoExecutor(
                "videos are joined by services that render on their own machine (executor local), and none is there"
            )
        batch_id = self._ids.next()
        items = [(await self._service.draft(draft, tenant=tenant))[0] for draft in drafts]
        values = {"id": batch_id, "tenant": tenant, "created_at": Present(), "size": len(items), "pending": len(items)}
        values |= {"canceled": False, "metadata": metadata}
        values |= {"webhook_url": webhook and webhook.url, "webhook_base": webhook and webhook.base}
        waiting = select(func.count()).where(renders.c.batch_id.is_not(None), renders.c.status == _QUEUED)
        async with self._store.database.write(Lock.admission) as connection:
            if key is not None:
                await note(connection, tenant, key, batch_id, lifetime=self._settings.idempotency_ttl)
            if (await connection.execute(waiting)).scalar_one() + len(items) > self._settings.batch_queue_limit:
                raise QueueFull(RETRY_AFTER)
            await connection.execute(insert(batches).values(values))
            if join is not None:
                await enter(connection, batch_id, tenant, skips=join.skips)
            await self._enter(connection, batch_id, items)
        self._service.wake()
        return await self.get(batch_id, tenant=tenant)

    async def _enter(self, connection: AsyncConnection, batch_id: str, items: Sequence[NewRender]) -> None:
        each = [
            item.values() | {"status": _QUEUED, "attempt": 0, "batch_id": batch_id, "item": index, "last_event": 1}
            for index, item in enumerate(items)
        ]
        # Named otherwise than the columns, whose names are SQLAlchemy's own.
        columns = {name: bindparam(f"its_{name}", type_=renders.c[name].type) for name in each[0]}
        rows = [
            {f"its_{name}": value for name, value in values.items()} | {"head_start": item.priority * STEP}
            for item, values in zip(items, each, strict=True)
        ]
        turn = Now() - bindparam("head_start", type_=Double)
        await connection.execute(insert(renders).values({**columns, "created_at": Present(), "turn": turn}), rows)
        mine = select(*TOLD).where(renders.c.batch_id == batch_id).order_by(renders.c.item)
        entered = (await connection.execute(mine)).all()
        # Of thousands, the events are written together: one by one they would keep all other writers waiting.
        log = self._store.events
        await log.entered(connection, [row.id for row in entered])
        others = [witness for witness in self._store.witnesses if witness != log.witness]
        await testify(connection, others, RenderStatus.queued, entered)

    async def get(self, batch_id: str, *, tenant: str) -> Batch:
        """Return the batch as it is now."""
        async with self._store.database.read() as connection:
            row = (await connection.execute(select(batches).where(*_of(batch_id, tenant)))).first()
            if row is None:
                raise BatchNotFound(batch_id)
            return (await shown(connection, [row]))[0]

    async def newest(self, *, tenant: str, before: str | None = None, limit: int = 50) -> list[Batch]:
        """Return up to ``limit`` batches, the newest first: those older than the one with id ``before``."""
        older = [batches.c.id < before] if before is not None else []
        statement = select(batches).where(batches.c.tenant == tenant, *older)
        async with self._store.database.read() as connection:
            rows = (await connection.execute(statement.order_by(batches.c.id.desc()).limit(limit))).all()
            return await shown(connection, rows)

    async def items(
        self,
        batch_id: str,
        *,
        tenant: str,
        statuses: Collection[RenderStatus] = (),
        after: int = -1,
        limit: int = 50,
    ) -> list[Render]:
        """Return up to ``limit`` renders of the batch, in their order: those after the one at position ``after``."""
        await self.get(batch_id, tenant=tenant)
        which = [renders.c.batch_id == batch_id, renders.c.item > after]
        if statuses:
            which.append(renders.c.status.in_([status.value for status in statuses]))
        statement = select(*LISTED).where(*which).order_by(renders.c.item).limit(limit)
        async with self._store.database.read() as connection:
            return [to_render(row) for row in await connection.execute(statement)]

    async def cancel(self, batch_id: str, *, tenant: str) -> Batch:
        """Cancel what has not ended, and return when nothing of it runs any more."""
        await self.get(batch_id, tenant=tenant)
        # One look at both, those in the queue first: what goes from one to the other meanwhile is in either.
        is_open = (renders.c.batch_id == batch_id, renders.c.status.in_((_QUEUED, _RUNNING)))
        columns = (renders.c.id, renders.c.status)
        some = select(*columns).where(*is_open).order_by(renders.c.status != _QUEUED, renders.c.item).limit(AT_ONCE)
        while True:
            async with self._store.database.write() as connection:
                found = (await connection.execute(some)).all()
                ids = [row.id for row in found if row.status == _QUEUED]
                under_way = [row.id for row in found if row.status == _RUNNING]
                ending = update(renders).where(renders.c.id.in_(ids), renders.c.status == _QUEUED)
                ending = ending.values(CANCELED.values())
                ended = (await connection.execute(ending.returning(*TOLD))).all()
                if ended or under_way:
                    canceled = update(batches).where(batches.c.id == batch_id).values(canceled=True)
                    await connection.execute(canceled)
                await testify(connection, self._store.witnesses, RenderStatus.canceled, ended)
            if len(ids) == AT_ONCE:
                continue
            await self._service.end_orphans(batch_id)
            if len(ended) == len(found):  # else one of them may have changed its place meanwhile
                await self._cancel_join(batch_id)
                return await self.get(batch_id, tenant=tenant)
            await asyncio.gather(*(self._end(render_id, tenant) for render_id in under_way))

    async def _cancel_join(self, batch_id: str) -> None:
        async with self._store.database.write() as connection:
            if await self._joins.cancel(connection, batch_id):
                await connection.execute(update(batches).where(batches.c.id == batch_id).values(canceled=True))
                await self._close(connection, batch_id)
        await self._joins.stopped(batch_id)

    async def delete(self, batch_id: str, *, tenant: str) -> None:
        """Cancel what has not ended, and remove the batch with all its renders and their videos.

        Of several who do that at once, one does; the others find no such batch. Raises :class:`StoppingError` when the
        service ends before nothing of the batch runs any more: it is canceled then, and what is left of it still there.
        """
        await self.cancel(batch_id, tenant=tenant)
        mine = select(renders.c.id, renders.c.place).where(renders.c.batch_id == batch_id).limit(AT_ONCE)
        while True:
            async with self._store.database.read() as connection:
                rows = (await connection.execute(mine)).all()
            if not rows:
                break
            if await self._store.delete(*(row.id for row in rows)):
                await self._service.clear([row.place for row in rows if row.place is not None])
            else:  # something still runs of those that somebody else has canceled a moment ago
                await asyncio.gather(*(self._remove(row.id, tenant) for row in rows))
        joined = await self._joins.find(batch_id)
        async with self._store.database.write() as connection:
            if not await self._store.delete_batches(connection, [batch_id]):
                raise BatchNotFound(batch_id)
        if joined is not None and joined.place is not None:
            await self._service.clear([joined.place])

    async def _remove(self, render_id: str, tenant: str) -> None:
        with contextlib.suppress(RenderNotFound):
            await self._service.delete(render_id, tenant=tenant)

    async def _end(self, render_id: str, tenant: str) -> None:
        with contextlib.suppress(RenderNotFound):
            await self._service.cancel(render_id, tenant=tenant)

    async def _count_off(self, connection: AsyncConnection, transition: Transition) -> None:
        """Note that a render has ended; the last one of a batch ends that."""
        if transition.status is None or not transition.status.ended:
            return
        batch_id = select(renders.c.batch_id).where(renders.c.id == transition.render_id).scalar_subquery()
        one_less = update(batches).where(batches.c.id == batch_id).values(pending=batches.c.pending - 1)
        row = (
            await connection.execute(one_less.returning(batches.c.id, batches.c.pending, batches.c.canceled))
        ).first()
        if row is not None and row.pending == 0 and not await ready(connection, row.id, canceled=row.canceled):
            await self._close(connection, row.id)

    async def _close(self, connection: AsyncConnection, batch_id: str) -> None:
        """Note that a batch has ended, and tell the witnesses."""
        end = update(batches).where(batches.c.id == batch_id).values(finished_at=Present())
        ended = (await connection.execute(end.returning(batches))).one()
        (batch,) = await shown(connection, [ended])
        wish = WebhookWish(ended.webhook_url, ended.webhook_base) if ended.webhook_url is not None else None
        for witness in self.witnesses:
            await witness(connection, ended.tenant, batch, wish)


def _of(batch_id: str, tenant: str) -> tuple[Any, Any]:
    return batches.c.id == batch_id, batches.c.tenant == tenant
