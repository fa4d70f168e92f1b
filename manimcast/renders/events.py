"""What has happened to a render, numbered from 1 and kept as long as the render is: the table of events.

A state's event is written by a witness, in the transaction that changes the state. What an attempt says is written
only while it is the present one. Whoever writes an event raises the render's ``last_event`` first and so holds its row
until the end of the transaction: numbers become visible in their order, and who has seen one has missed none before.

Old progress is forgotten: of it, what is older than the last :data:`PROGRESS_KEPT` events of its render.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property, partial
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Insert, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.database import Database, Present, after_commit
from manimcast.renders.model import RenderProgress
from manimcast.renders.table import events, renders
from manimcast.renders.transitions import Transition

PROGRESS_KEPT = 100
"""Events of a render among which all progress is still there. A listener that is no further behind misses none."""
_CLEARING = 25
"""Events between two removals of old progress."""


class EventType(StrEnum):
    """What happens to a render. States have the names of the states."""

    queued = "queued"
    running = "running"
    progress = "progress"
    segment = "segment"
    log = "log"
    succeeded = "succeeded"
    failed = "failed"
    canceled = "canceled"

    @property
    def ends(self) -> bool:
        """Whether nothing happens after it."""
        return self in {EventType.succeeded, EventType.failed, EventType.canceled}


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``attempt`` is the one that says it, or the present one at a change of state."""

    number: int
    type: EventType
    attempt: int
    time: datetime
    data: Mapping[str, Any]

    @cached_property
    def json(self) -> str:
        """What listeners are sent: ``data`` with the attempt and the time. The same for all, so it is made once."""
        time = self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return to_json({"attempt": self.attempt, "time": time, **self.data}).decode()


@dataclass(frozen=True)
class Said:
    """Something that an attempt says, which has no number yet."""

    type: EventType
    data: Mapping[str, Any]


class EventLog:
    """The events of all renders in ``database``.

    Attributes
    ----------
    listeners
        Called with the id of a render of which something was written here, once that is committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.listeners: list[Callable[[str], None]] = []

    async def witness(self, connection: AsyncConnection, transition: Transition) -> None:
        """Write the event of a change of state, in its transaction; forget those of a render that is deleted."""
        after_commit(connection, partial(self.tell, transition.render_id))
        if transition.status is None:
            await connection.execute(delete(events).where(events.c.render_id == transition.render_id))
            return
        mine = renders.c.id == transition.render_id
        raised = update(renders).where(mine).values(last_event=renders.c.last_event + 1)
        row = (await connection.execute(raised.returning(renders.c.last_event, renders.c.executor))).one()
        type_ = EventType(transition.status)
        said = Said(type_, {"executor": row.executor} if type_ is EventType.running else {})
        await connection.execute(
            _insert().values(_values(transition.render_id, transition.attempt, row.last_event, said))
        )

    async def report(
        self, render_id: str, attempt: int, said: Sequence[Said], progress: RenderProgress | None = None
    ) -> bool:
        """Write what an attempt says, and how far it is; refused when it is no longer the present one."""
        if progress is not None:
            said = [*said, Said(EventType.progress, progress.model_dump(mode="json"))]
        async with self._database.write() as connection:
            return await self.append(connection, render_id, attempt, said, progress=progress)

    async def append(
        self,
        connection: AsyncConnection,
        render_id: str,
        attempt: int,
        said: Sequence[Said],
        *,
        progress: RenderProgress | None = None,
    ) -> bool:
        """Do the same for :meth:`report`, within a transaction; ``progress`` is for the render's row."""
        present = (renders.c.id == render_id, renders.c.attempt == attempt, renders.c.status == "running")
        values: dict[str, Any] = {"last_event": renders.c.last_event + len(said)}
        if progress is not None:
            values["progress"] = progress.model_dump(mode="json")
        raised = update(renders).where(*present).values(values).returning(renders.c.last_event)
        last = (await connection.execute(raised)).scalar()
        if last is None:
            return False
        if said:
            first = last - len(said) + 1
            rows = [_values(render_id, attempt, first + index, one) for index, one in enumerate(said)]
            await connection.execute(_insert(), rows)
            if first // _CLEARING != (last + 1) // _CLEARING:
                await connection.execute(_old_progress(render_id, last))
            after_commit(connection, partial(self.tell, render_id))
        return True

    async def entered(self, connection: AsyncConnection, render_ids: Sequence[str]) -> None:
        """Write the first event of many renders that are entered as queued, with 1 as their ``last_event``, at once."""
        said = Said(EventType.queued, {})
        await connection.execute(_insert(), [_values(render_id, 0, 1, said) for render_id in render_ids])
        for render_id in render_ids:
            after_commit(connection, partial(self.tell, render_id))

    async def retell(self, connection: AsyncConnection, render_ids: Sequence[str], said: Sequence[Said]) -> None:
        """Write for renders that are ended as another one was what that one ``said``, in the same transaction."""
        if not render_ids or not said:
            return
        mine = renders.c.id.in_(render_ids)
        raised = update(renders).where(mine).values(last_event=renders.c.last_event + len(said))
        rows = (await connection.execute(raised.returning(renders.c.id, renders.c.attempt, renders.c.last_event))).all()
        values = [
            _values(row.id, row.attempt, row.last_event - len(said) + 1 + index, one)
            for row in rows
            for index, one in enumerate(said)
        ]
        await connection.execute(_insert(), values)

    async def after(self, render_id: str, number: int, *, limit: int) -> list[Event]:
        """Return the first ``limit`` events of a render that came after event ``number``, in their order."""
        found = select(events).where(events.c.render_id == render_id, events.c.number > number)
        async with self._database.read() as connection:
            rows = await connection.execute(found.order_by(events.c.number).limit(limit))
            return [Event(row.number, EventType(row.type), row.attempt, row.noted, row.data) for row in rows]

    def tell(self, render_id: str) -> None:
        """Say that something has happened to a render."""
        for listener in self.listeners:
            listener(render_id)


def segment(index: int, kind: str, frames: int, duration: float) -> Said:
    """Return the news that a play is drawn to its end: its frames, and its seconds in the video."""
    data = {"animation_index": index, "kind": kind, "frames": frames, "duration": duration}
    return Said(EventType.segment, data)


def _insert() -> Insert:
    """Return the statement that enters events, with the time at which it does."""
    return insert(events).values(noted=Present())


def _values(render_id: str, attempt: int, number: int, said: Said) -> dict[str, Any]:
    return {
        "render_id": render_id,
        "number": number,
        "type": said.type.value,
        "attempt": attempt,
        "data": dict(said.data),
    }


def _old_progress(render_id: str, last: int) -> Any:
    is_progress = (events.c.render_id == render_id, events.c.type == EventType.progress.value)
    return delete(events).where(*is_progress, events.c.number <= last - PROGRESS_KEPT)
