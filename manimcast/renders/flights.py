"""Single flight: of any number of equal requests one is rendered, and its end is the end of all.

Equal requests share the column ``flight``. While one of them runs, in whichever service, the others stay in the queue
and take no place there; a unique index sees to it that no second one begins. How the first ends is how all end, if it
is its scene that decides that; else the next one is rendered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import present
from manimcast.renders.events import EventLog, EventType, Said, segment
from manimcast.renders.kept import KeptResult
from manimcast.renders.model import RenderCache, RenderCost, RenderStatus
from manimcast.renders.rows import Outcome
from manimcast.renders.table import renders
from manimcast.renders.transitions import TOLD, Witness, testify
from manimcast.renders.videos import GoneError, show
from manimcast.spec import ErrorCode, RenderReport

NOTHING_RENDERED = RenderCost(usd_estimate=0, basis="the video of another render: nothing was rendered for this one")
NOT_OF_THE_SCENE = {ErrorCode.internal, ErrorCode.canceled}
"""Errors that say nothing of what the same request would come to."""

AT_ONCE = 250
"""Renders that are ended as another one in one transaction."""
MOST_TOLD = 20_000
"""Events that are written for those that end with another one; of more, they hear only how it ended."""

_QUEUED, _RUNNING = RenderStatus.queued.value, RenderStatus.running.value


def under_way(flight: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether a render of ``flight`` runs."""
    first = renders.alias()
    return exists(select(first.c.id).where(first.c.flight == flight, first.c.status == _RUNNING))


def busy() -> ColumnElement[int]:
    """Return how many renders are queued or running, batches left out; those of one flight count once."""
    each = func.count(func.distinct(func.coalesce(renders.c.flight, renders.c.id)))
    single = (renders.c.status.in_((_QUEUED, _RUNNING)), renders.c.batch_id.is_(None))
    return select(each).where(*single).scalar_subquery()


def has_room(flight: str | None, *, room: int, limit: int) -> ColumnElement[bool]:
    """Return whether a render may be queued: there is ``room``, or it is one of up to ``limit`` of a flight."""
    may = busy() < room
    if flight is not None:
        same = (renders.c.flight == flight, renders.c.status.in_((_QUEUED, _RUNNING)))
        count = select(func.count()).select_from(renders).where(*same).scalar_subquery()
        may |= (count > 0) & (count < limit)
    return may


async def land(
    connection: AsyncConnection, log: EventLog, witnesses: Sequence[Witness], first: Row[Any], outcome: Outcome
) -> list[str]:
    """End those that wait for the render ``first``, which has ended with ``outcome``, as it; return their ids.

    No more than :data:`AT_ONCE` of them, as other writers wait meanwhile; so call it again, in other transactions,
    until there are none. Should the service die before that, the next one finds the video when it begins. Raises
    :class:`GoneError`, for a transaction that is to be given up, when the video was deleted meanwhile.
    """
    if first.flight is None or not decides(outcome):
        return []
    shared = outcome
    if outcome.report is not None:
        report = KeptResult(report=outcome.report, plays=()).again
        cache = from_another(outcome.report)
        shared = replace(outcome, report=report, cache=cache, cost=NOTHING_RENDERED, shares=True)
    now = await present(connection)
    values = shared.values(now) | {
        "executor": first.executor,
        "attempt": renders.c.attempt + 1,
        "started_at": now,
    }
    waiting = (renders.c.flight == first.flight, renders.c.status == _QUEUED)
    some = select(renders.c.id).where(*waiting).order_by(renders.c.id).limit(AT_ONCE)
    ending = update(renders).where(renders.c.id.in_(some), *waiting).values(values)
    rows = (await connection.execute(ending.returning(*TOLD))).all()
    if rows and outcome.stored is not None and not await show(connection, first.tenant, shared, len(rows)):
        raise GoneError
    ids, said = [row.id for row in rows], retold(outcome, first.executor)
    if len(ids) * len(said) > MOST_TOLD:
        said = [said[0], *(one for one in said if one.type is EventType.progress)]
    await log.retell(connection, ids, said)
    await testify(connection, witnesses, outcome.status, rows)
    return ids


def retold(outcome: Outcome, executor: str | None = None) -> list[Said]:
    """Return what is said of a render that ends as another one did; with ``executor``, that it began there."""
    said = [Said(EventType.running, {"executor": executor})] if executor is not None else []
    for index, play in enumerate(outcome.kept.plays if outcome.kept is not None else ()):
        said.append(segment(index, play.kind, play.frames, play.duration))
    if outcome.progress is not None:
        said.append(Said(EventType.progress, outcome.progress.model_dump(mode="json")))
    return said


def from_another(report: RenderReport) -> RenderCache:
    """Return what is said of caches of a render that shows the video of another one, which ``report`` is of."""
    return RenderCache(hit="result", animations_reused=report.animations, animations_rendered=0)


def decides(outcome: Outcome) -> bool:
    """Tell whether the same request at the same time would end in the same way."""
    if outcome.status is RenderStatus.failed:
        return outcome.error is not None and outcome.error.code not in NOT_OF_THE_SCENE
    return outcome.status is RenderStatus.succeeded and outcome.stored is not None


async def abandon(connection: AsyncConnection, render_id: str) -> bool:
    """Note that whoever asked for a running render has left; False, and nothing noted, unless others wait for it."""
    other = renders.alias()
    others = select(other.c.id).where(
        other.c.flight == renders.c.flight, other.c.id != renders.c.id, other.c.status == _QUEUED
    )
    running = (renders.c.id == render_id, renders.c.status == _RUNNING, exists(others))
    return (await connection.execute(update(renders).where(*running).values(abandoned=True))).rowcount == 1


async def orphans(connection: AsyncConnection, flights: Select[Any]) -> list[Row[Any, Any]]:
    """Return the abandoned renders of these flights for which nobody waits any more."""
    other = renders.alias()
    under_way = (_QUEUED, _RUNNING)
    waiting = exists(
        select(other.c.id).where(
            other.c.flight == renders.c.flight, other.c.status.in_(under_way), other.c.abandoned.is_(False)
        )
    )
    mine = (renders.c.flight.in_(flights), renders.c.status.in_(under_way), renders.c.abandoned.is_(True))
    statement = select(renders.c.id, renders.c.tenant).where(*mine, ~waiting)
    return [*(await connection.execute(statement)).all()]
