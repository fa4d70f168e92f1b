"""A service among those that work with the same database and ``DATA_DIR``: it keeps what it has, and what others lost.

As long as it lives it renews the leases of what runs here and says in the fleet that it is alive. What the dead were
running, it puts back into the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection

from manimcast.database import DatabaseError
from manimcast.renders.fleet import Fleet
from manimcast.renders.leases import BEATS
from manimcast.renders.outcomes import LOST
from manimcast.renders.owners import Owner
from manimcast.renders.rows import place_of
from manimcast.renders.store import RenderStore
from manimcast.storage import Storage, StorageError

logger = logging.getLogger(__name__)


class Tenure:
    """The time for which ``owner`` works here.

    ``running`` returns the ids of what runs here; ``queued`` is called when something was put back into the queue.
    """

    def __init__(
        self,
        store: RenderStore,
        storage: Storage,
        owner: Owner,
        fleet: Fleet,
        *,
        running: Callable[[], Collection[str]],
        queued: Callable[[], None],
    ) -> None:
        self._store = store
        self._storage = storage
        self._owner = owner
        self._fleet = fleet
        self._running = running
        self._queued = queued
        self._keeping: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Become one of those that work in ``DATA_DIR``, and take over what the dead have left there.

        Raises :class:`DatabaseError` when ``DATA_DIR`` or the table cannot be written.
        """
        await asyncio.to_thread(self._owner.enter)
        await self._take_over()

    def start(self) -> None:
        """Begin to keep what runs here."""
        self._keeping = asyncio.create_task(self._keep())

    async def leave(self) -> None:
        """Be none of those that work in ``DATA_DIR`` any more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        # What could not be ended here is tried again at once, and not only when its lease has run out.
        with contextlib.suppress(DatabaseError, StorageError):
            await self._recover([self._owner.name])
        await asyncio.to_thread(self._owner.leave)

    async def _keep(self) -> None:
        """Keep the leases of what runs here, and take over what others have lost, until canceled."""
        beats = self._store.leases.seconds / BEATS
        while True:
            try:
                await self._renew()
                await self._take_over()
                await self._fleet.beat()
            except DatabaseError as error:
                logger.error("leases were not renewed: %s", error)  # noqa: TRY400 - the message says it all
            except Exception:  # it must go on, or all that runs here is lost
                logger.exception("leases were not renewed")
            await asyncio.sleep(beats)

    async def _renew(self) -> None:
        if running := list(self._running()):
            await self._store.leases.renew(self._owner.name, running)

    async def _take_over(self) -> None:
        """Queue again what the dead, and those whose lease has run out, were running."""
        dead = await asyncio.to_thread(self._owner.dead)
        if await self._recover(dead):
            self._queued()
        await self._fleet.bury(dead)
        await asyncio.to_thread(self._owner.bury, dead)

    async def _recover(self, dead: Collection[str]) -> bool:
        """Put back what is lost, and remove what was stored of it; tell whether anything is."""
        recovered = await self._store.leases.recover(LOST, dead=dead)
        for render_id, number in recovered:
            logger.warning("attempt %d was lost", number, extra={"render_id": render_id})
            await self._storage.delete(place_of(render_id, number))
        return bool(recovered)
