"""One video of all renders of a batch: where that stands, and who makes it.

A join waits until all renders of its batch have ended, and then for a service that can join. Whoever takes it has it on
a lease, by the database's clock; ``attempt`` is the fence, as for renders. The batch ends when its join does, in the
same transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Row, Select, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Present, present
from manimcast.renders.leases import MAX_FAILURES, Suspects, is_live, lease
from manimcast.renders.model import Render, RenderStatus
from manimcast.renders.rows import LISTED, Outcome, place_of, to_render
from manimcast.renders.store import RenderStore
from manimcast.renders.table import batches, joins, renders
from manimcast.renders.videos import hide, show
from manimcast.spec import Format
from manimcast.storage import StoredFile, StoredResult

NAMED = 10
"""Renders that an error names, at most."""
LOOK_AGAIN = 0.1
"""Seconds between looks at whether a canceled join has been let go."""

Listener = Callable[[str], None]
"""Told the id of a batch whose join this process has just canceled or removed."""

OnEnd = Callable[[AsyncConnection, str], Awaitable[None]]
"""Ends the batch with this id, in the transaction that ends its join."""


class JoinStatus(StrEnum):
    """Where a join stands. It is ``waiting`` while renders of its batch have not ended."""

    waiting = "waiting"
    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    canceled = "canceled"


_OPEN = [JoinStatus.waiting.value, JoinStatus.queued.value, JoinStatus.running.value]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Chapter(_Model):
    """The part of the video that is one render's; times in seconds. ``item`` is that render's position."""

    title: str
    start: float
    end: float
    render_id: str
    item: int


class JoinResult(_Model):
    """A joined video. Lengths are in pixels, ``duration`` in seconds; links work until ``expires_at``.

    At ``expired_at`` the video was removed. ``files`` says what lies in the storage, and is left out of answers.
    """

    video_url: str | None = None
    expires_at: datetime | None = None
    expired_at: datetime | None = None
    duration: float
    width: int
    height: int
    frame_rate: float
    frames: int
    bytes: int
    sha256: str
    format: Format
    media_type: str
    chapters: tuple[Chapter, ...]
    files: tuple[StoredFile, ...] = Field(exclude=True)

    @property
    def video(self) -> StoredFile:
        """The file."""
        return StoredResult(files=self.files).video


class Join(_Model):
    """One video of all renders of a batch, or why there is none. ``place`` is its name in the storage."""

    status: JoinStatus
    error: str | None = None
    result: JoinResult | None = None
    place: str | None = Field(default=None, exclude=True)


@dataclass(frozen=True)
class JoinClaim:
    """A join that was taken, and the number of the attempt that this is.

    ``size`` is how many renders the batch has, or had; what ``skips`` leaves those out that have not succeeded.
    """

    batch_id: str
    tenant: str
    attempt: int
    size: int
    skips: bool

    @property
    def place(self) -> str:
        """The name under which the attempt's file goes into the storage."""
        return place_of(self.batch_id, self.attempt)


class JoinStore:
    """The joins in the database of ``store``. ``on_end`` is to be set before anything is joined."""

    def __init__(self, store: RenderStore, lease_seconds: float) -> None:
        self.database = store.database
        self._seconds = lease_seconds
        self.suspects = Suspects(joins, lease_seconds)
        self.on_end: OnEnd | None = None
        self.listeners: list[Listener] = []
        store.forgetting.append(_forget)

    async def claim(self) -> JoinClaim | None:
        """Take the join that has waited longest, if there is one; what was lost too often ends instead."""
        due = await self._due()
        if due is None:
            return None
        async with self.database.write() as connection:
            which = select(joins).where(due).order_by(joins.c.batch_id).limit(1).with_for_update(skip_locked=True)
            row = (await connection.execute(which)).first()
            if row is None:
                return None
            failures = row.failures + (row.status == JoinStatus.running)
            if failures >= MAX_FAILURES:
                await self._end(
                    connection, row.batch_id, JoinStatus.failed, error="each service that joined them ended meanwhile"
                )
                return None
            values = {"status": JoinStatus.running.value, "attempt": row.attempt + 1, "failures": failures}
            taken = update(joins).where(joins.c.batch_id == row.batch_id)
            await connection.execute(taken.values(**values, lease_until=lease(self._seconds)))
            size = select(batches.c.size).where(batches.c.id == row.batch_id)
            of_all = (await connection.execute(size)).scalar_one()
        return JoinClaim(row.batch_id, row.tenant, row.attempt + 1, of_all, row.skips)

    async def _due(self) -> ColumnElement[bool] | None:
        """Look which joins may be taken, and return which rows these are; None when there are none."""
        waits = joins.c.status == JoinStatus.queued
        async with self.database.read() as connection:
            due = await self.suspects.lost(connection)
            if (await connection.execute(select(joins.c.batch_id).where(waits).limit(1))).first() is not None:
                due.append(waits)
        return or_(*due) if due else None

    async def renew(self, claim: JoinClaim) -> bool:
        """Put off the end of the lease; False when the join is somebody else's, or nobody's, by now."""
        async with self.database.write() as connection:
            mine = update(joins).where(*_mine(claim)).values(lease_until=lease(self._seconds))
            return (await connection.execute(mine)).rowcount == 1

    async def holds(self, claim: JoinClaim) -> bool:
        """Tell whether the join is still this attempt's."""
        return await self._is_any(select(joins.c.attempt).where(*_mine(claim)))

    async def release(self, claim: JoinClaim) -> None:
        """Say that nothing runs any more of an attempt whose join was canceled."""
        ended = (joins.c.batch_id == claim.batch_id, joins.c.attempt == claim.attempt)
        over = update(joins).where(*ended, joins.c.status == JoinStatus.canceled, joins.c.lease_until.is_not(None))
        async with self.database.write() as connection:
            await connection.execute(over.values(lease_until=None))

    async def put_back(self, claim: JoinClaim, *, failed: bool) -> None:
        """Let somebody else, or this service at another time, have it."""
        values: dict[str, Any] = {"lease_until": None, "status": JoinStatus.queued.value}
        async with self.database.write() as connection:
            row = (await connection.execute(select(joins.c.failures).where(*_mine(claim)))).first()
            if row is None:
                return
            if failed and row.failures + 1 >= MAX_FAILURES:
                error = f"nothing could join them, which was tried {MAX_FAILURES} times; the service's log says more"
                await self._end(connection, claim.batch_id, JoinStatus.failed, error=error)
                return
            values["failures"] = row.failures + failed
            await connection.execute(update(joins).where(*_mine(claim)).values(values))

    async def renders(self, batch_id: str) -> tuple[list[Render], datetime]:
        """Return the renders of the batch, in their order, and the time by the database's clock."""
        mine = select(*LISTED).where(renders.c.batch_id == batch_id).order_by(renders.c.item)
        async with self.database.read() as connection:
            return [to_render(row) for row in await connection.execute(mine)], await present(connection)

    async def succeed(self, claim: JoinClaim, result: JoinResult) -> bool:
        """End the join with a video that is stored; False when it is not this attempt's any more."""
        async with self.database.write() as connection:
            if (await connection.execute(select(joins.c.status).where(*_mine(claim)))).first() is None:
                return False
            stored = StoredResult(place=claim.place, files=result.files)
            await show(connection, claim.tenant, Outcome(RenderStatus.succeeded, stored=stored))
            values = result.model_dump(mode="json") | {"files": [file.model_dump(mode="json") for file in result.files]}
            ended = update(joins).where(*_mine(claim)).values(place=claim.place, result=values)
            await connection.execute(ended)
            return await self._end(connection, claim.batch_id, JoinStatus.succeeded)

    async def fail(self, claim: JoinClaim, error: str) -> None:
        """End the join without a video, unless it is not this attempt's any more."""
        async with self.database.write() as connection:
            if (await connection.execute(select(joins.c.status).where(*_mine(claim)))).first() is not None:
                await self._end(connection, claim.batch_id, JoinStatus.failed, error=error)

    async def cancel(self, connection: AsyncConnection, batch_id: str) -> bool:
        """Note that a join is canceled that has not ended; tell whether there was one. Its batch is still to end.

        Once that is committed, :meth:`stopped` is to be awaited.
        """
        return await _note_end(connection, batch_id, JoinStatus.canceled)

    async def stopped(self, batch_id: str) -> None:
        """Have a canceled join ended where it is carried out, and return when nothing of it runs any more."""
        for listener in self.listeners:
            listener(batch_id)
        live = select(joins.c.batch_id).where(
            joins.c.batch_id == batch_id,
            joins.c.status == JoinStatus.canceled,
            is_live(joins.c.lease_until, self._seconds),
        )
        while await self._is_any(live):  # noqa: ASYNC110 - the table's
            await asyncio.sleep(LOOK_AGAIN)

    async def _is_any(self, statement: Select[Any]) -> bool:
        async with self.database.read() as connection:
            return (await connection.execute(statement.limit(1))).first() is not None

    async def find(self, batch_id: str) -> Join | None:
        """Return the join of a batch, if it has one."""
        async with self.database.read() as connection:
            return (await joins_of(connection, [batch_id])).get(batch_id)

    async def _end(
        self, connection: AsyncConnection, batch_id: str, status: JoinStatus, error: str | None = None
    ) -> bool:
        """End the join and its batch, unless that has happened."""
        if not await _note_end(connection, batch_id, status, error):
            return False
        assert self.on_end is not None  # noqa: S101  there are batches
        await self.on_end(connection, batch_id)
        return True


async def _note_end(connection: AsyncConnection, batch_id: str, status: JoinStatus, error: str | None = None) -> bool:
    values = {"status": status.value, "error": error, "finished_at": Present()}
    if status is not JoinStatus.canceled:  # else whoever carries it out says when nothing of it runs any more
        values["lease_until"] = None
    is_open = (joins.c.batch_id == batch_id, joins.c.status.in_(_OPEN))
    return (await connection.execute(update(joins).where(*is_open).values(values))).rowcount == 1


async def enter(connection: AsyncConnection, batch_id: str, tenant: str, *, skips: bool) -> None:
    """Note that a new batch is to be joined; what ``skips`` leaves out what has failed."""
    values = {"status": JoinStatus.waiting.value, "skips": skips, "attempt": 0, "failures": 0}
    await connection.execute(insert(joins).values(batch_id=batch_id, tenant=tenant, **values))


async def ready(connection: AsyncConnection, batch_id: str, *, canceled: bool) -> bool:
    """Note that all renders of a batch have ended; True when it is now to be joined, and ends after that.

    What cannot be joined any more ends at once.
    """
    row = (await connection.execute(select(joins).where(joins.c.batch_id == batch_id))).first()
    if row is None or row.status != JoinStatus.waiting:
        return False
    of_batch = (renders.c.batch_id == batch_id, renders.c.status != RenderStatus.succeeded.value)
    missing = (await connection.execute(select(renders.c.item).where(*of_batch).order_by(renders.c.item))).scalars()
    error = None if row.skips else _without(list(missing))
    values: dict[str, Any] = {"status": JoinStatus.queued.value}
    if canceled or error:
        status = JoinStatus.canceled if canceled else JoinStatus.failed
        values = {"status": status.value, "error": None if canceled else error, "finished_at": Present()}
    await connection.execute(update(joins).where(joins.c.batch_id == batch_id).values(values))
    return not (canceled or error)


def _without(items: Sequence[int]) -> str | None:
    if not items:
        return None
    named = ", ".join(f"renders[{item}]" for item in items[:NAMED])
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return f"{named}{more} did not succeed"


async def joins_of(connection: AsyncConnection, batch_ids: Sequence[str]) -> dict[str, Join]:
    """Return the joins of those of these batches that have one."""
    rows = await connection.execute(select(joins).where(joins.c.batch_id.in_(batch_ids)))
    return {row.batch_id: _join(row) for row in rows}


async def _forget(connection: AsyncConnection, batch_id: str) -> None:
    """Remove the join of a batch that is deleted; its video is no longer shown, and goes."""
    gone = delete(joins).where(joins.c.batch_id == batch_id).returning(joins.c.place)
    await hide(connection, (await connection.execute(gone)).scalars().all())


async def expire(connection: AsyncConnection, before: datetime, limit: int) -> None:
    """Let the videos go of joins that ended earlier than that."""
    old = select(joins.c.batch_id, joins.c.place).where(joins.c.place.is_not(None), joins.c.finished_at < before)
    rows = (await connection.execute(old.limit(limit).with_for_update(skip_locked=True))).all()
    values = {"place": None, "expired_at": Present()}
    await connection.execute(update(joins).where(joins.c.batch_id.in_([row.batch_id for row in rows])).values(values))
    await hide(connection, [row.place for row in rows])


def _mine(claim: JoinClaim) -> tuple[Any, ...]:
    return (
        joins.c.batch_id == claim.batch_id,
        joins.c.attempt == claim.attempt,
        joins.c.status == JoinStatus.running.value,
    )


def _join(row: Row[Any]) -> Join:
    result = JoinResult.model_validate(row.result | {"expired_at": row.expired_at}) if row.result else None
    return Join(status=JoinStatus(row.status), error=row.error, result=result, place=row.place)
