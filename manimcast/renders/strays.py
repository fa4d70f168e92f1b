"""Stored videos that may be nobody's: what was stored before a row told of it, by whoever could not say so any more.

The storage remembers what it took until somebody confirms that a row tells of it. The rest is looked up here. An
attempt that is over, and whose video no row shows, never will have it shown: the fence refuses it. So no clock and no
age decides, and a video of which nothing was ever noted is left alone, whoever it is of.
"""

from __future__ import annotations

import logging

from manimcast.database import DatabaseError
from manimcast.renders.store import RenderStore
from manimcast.storage import Storage, StoredResult

logger = logging.getLogger(__name__)


class Strays:
    """What ``storage`` has taken and ``store`` may not know."""

    def __init__(self, store: RenderStore, storage: Storage) -> None:
        self._store = store
        self._storage = storage

    async def sweep(self) -> None:
        """Remove what no row tells of, and none will."""
        for stray in await self._storage.unconfirmed():
            # In this order: what has ended before the first look is seen at the second.
            if not await self._store.videos.may_come(stray.place):
                await self.decide(stray.place, stray.stored)

    async def refused(self, place: str, stored: StoredResult) -> bool:
        """Do as :meth:`decide` with what was not taken, if the table can be asked now; else it is decided later."""
        try:
            return await self.decide(place, stored)
        except DatabaseError as error:
            logger.warning("what becomes of the stored video %s is decided later: %s", place, error)
            return False

    async def decide(self, place: str, stored: StoredResult | None) -> bool:
        """Confirm what an attempt that is over has stored, or remove it; tell whether a row shows it."""
        is_shown = await self._store.videos.is_shown(place, stored)
        if is_shown:
            await self._storage.confirm(place, stored)
        else:
            await self._storage.delete(place, stored)
        return is_shown
