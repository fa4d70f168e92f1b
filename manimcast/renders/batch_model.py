"""A batch as a client sees it: its row, and where its renders stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.renders.joins import Join, JoinStatus, joins_of
from manimcast.renders.model import RenderStatus
from manimcast.renders.table import renders

_QUEUED, _RUNNING = RenderStatus.queued.value, RenderStatus.running.value


class BatchStatus(StrEnum):
    """Where a batch stands: ``partial`` has ended with some videos, but not all; the one of all counts, too."""

    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    partial = "partial"
    failed = "failed"
    canceled = "canceled"


class Batch(BaseModel):
    """A batch as a client sees it.

    ``counts`` has how many of its renders are in each state; those that were deleted are in none. ``percent`` is how
    much of all of them is done. ``join`` is the one video of all of them, if that was asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    status: BatchStatus
    created_at: datetime
    finished_at: datetime | None
    size: int
    counts: dict[RenderStatus, int]
    percent: float
    metadata: dict[str, Any] | None
    join: Join | None = None
    webhook: str | None = Field(default=None, exclude=True)


async def shown(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Batch]:
    """Return the batches of these rows, with where their renders stand."""
    ids = [row.id for row in rows]
    counting = select(renders.c.batch_id, renders.c.status, func.count()).where(renders.c.batch_id.in_(ids))
    counts: dict[str, Counter[str]] = {batch_id: Counter() for batch_id in ids}
    for batch_id, status, count in await connection.execute(counting.group_by(renders.c.batch_id, renders.c.status)):
        counts[batch_id][status] = count
    under_way: dict[str, float] = dict.fromkeys(ids, 0.0)
    running = select(renders.c.batch_id, renders.c.progress).where(
        renders.c.batch_id.in_(ids), renders.c.status == _RUNNING, renders.c.progress.is_not(None)
    )
    for batch_id, progress in await connection.execute(running):
        under_way[batch_id] += progress.get("percent") or 0.0
    joined = await joins_of(connection, ids)
    return [_batch(row, counts[row.id], under_way[row.id], joined.get(row.id)) for row in rows]


def _batch(row: Row[Any], counts: Counter[str], under_way: float, joined: Join | None) -> Batch:
    ended = row.size - counts[_QUEUED] - counts[_RUNNING]
    return Batch(
        id=row.id,
        status=_status(row, counts, ended, joined),
        created_at=row.created_at,
        finished_at=row.finished_at,
        size=row.size,
        counts={status: counts[status.value] for status in RenderStatus},
        percent=round((100 * ended + under_way) / row.size, 1),
        metadata=row.metadata,
        join=joined,
        webhook=row.webhook_url,
    )


def _status(row: Row[Any], counts: Counter[str], ended: int, joined: Join | None) -> BatchStatus:
    if row.finished_at is None:
        return BatchStatus.running if ended or counts[_RUNNING] else BatchStatus.queued
    if row.canceled:
        return BatchStatus.canceled
    is_whole = joined is None or joined.status is JoinStatus.succeeded
    if is_whole and counts[RenderStatus.failed.value] + counts[RenderStatus.canceled.value] == 0:
        return BatchStatus.succeeded
    return BatchStatus.partial if counts[RenderStatus.succeeded.value] else BatchStatus.failed
