"""How a render ends in the table: by its attempt, whoever runs it, or when those who wanted it have left.

With a render that its attempt has finished end all that wait for its end (:mod:`.flights`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import or_, select, update

from manimcast.database import Database, DatabaseError
from manimcast.renders.claims import held
from manimcast.renders.events import EventLog, Said
from manimcast.renders.flights import abandon, land, orphans
from manimcast.renders.model import RenderStatus
from manimcast.renders.rows import Outcome
from manimcast.renders.table import renders
from manimcast.renders.transitions import TOLD, Witness, change, testify
from manimcast.renders.videos import GoneError, show

logger = logging.getLogger(__name__)


class Endings:
    """Ends renders in ``database``, and tells ``events`` and ``witnesses``."""

    def __init__(self, database: Database, events: EventLog, witnesses: Sequence[Witness]) -> None:
        self._database = database
        self._events = events
        self._witnesses = witnesses

    async def finish(self, render_id: str, attempt: int, outcome: Outcome, said: Sequence[Said] = ()) -> bool:
        """End the render as the attempt ended, after the last things that it ``said``.

        With it end all that wait for its end (:mod:`.flights`). Refused when the attempt is no longer the present one,
        and when the video that it shares is gone.
        """
        values = outcome.values() | {"lease_until": None}
        statement = update(renders).where(*held(render_id, attempt)).values(values)
        columns = (*TOLD, renders.c.flight, renders.c.executor)
        try:
            async with self._database.write() as connection:
                if said:
                    await self._events.append(connection, render_id, attempt, said)
                ended = (await connection.execute(statement.returning(*columns))).first()
                if ended is None:
                    return False
                if outcome.stored is not None and not await show(connection, ended.tenant, outcome):
                    raise GoneError
                await testify(connection, self._witnesses, outcome.status, [ended])
                landed = await land(connection, self._events, self._witnesses, ended, outcome)
        except GoneError:
            return False
        try:
            while landed:
                async with self._database.write() as connection:
                    landed = await land(connection, self._events, self._witnesses, ended, outcome)
        except GoneError:
            pass  # the others are rendered
        except DatabaseError as error:  # this one has ended all the same
            logger.warning("equal renders were left in the queue: %s", error)
        return True

    async def end(self, render_id: str, *, status: RenderStatus, outcome: Outcome) -> bool:
        """End the render whoever runs it, if it is in ``status`` (queued or running); tell whether it was."""
        statement = update(renders).where(renders.c.id == render_id, renders.c.status == status.value)
        return await change(self._database, self._witnesses, statement.values(outcome.values()), outcome.status)

    async def abandon(self, render_id: str) -> bool:
        """Note that whoever asked for a running render has left; False unless others wait for its end."""
        async with self._database.write() as connection:
            return await abandon(connection, render_id)

    async def orphans(self, ended: str) -> list[tuple[str, str]]:
        """Return ids and tenants of renders that were abandoned for others, and for which nobody waits now.

        ``ended`` is the render, or the batch, for which they went on.
        """
        like = renders.alias()
        flights = select(like.c.flight).where(or_(like.c.id == ended, like.c.batch_id == ended))
        async with self._database.read() as connection:
            return [(row.id, row.tenant) for row in await orphans(connection, flights)]
