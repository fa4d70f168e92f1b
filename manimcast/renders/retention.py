"""What becomes of ended renders after a while: their videos expire, then their records (``VIDEO_TTL``, ``RECORD_TTL``).

Of all services that work with the database one at a time sees to it, a bounded number of renders in each round. The
same rounds remove the files of videos that no render shows any more, and those of videos and assets that a service
which died was about to remove, or to note.
Caches are each service's own (``CACHE_TTL``), and so is what it had stored before a row told of it
(:mod:`manimcast.renders.strays`).
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from manimcast.assets import Assets
from manimcast.cache import expire
from manimcast.database import DatabaseError, Now, Present, present
from manimcast.renders.joins import expire as expire_joined
from manimcast.renders.model import RenderStatus
from manimcast.renders.store import RenderStore
from manimcast.renders.strays import Strays
from manimcast.renders.table import batches, chores, renders
from manimcast.renders.videos import hide
from manimcast.settings import Settings
from manimcast.storage import Storage, StorageError

AT_ONCE = 200
"""Renders, and videos, that one round sees to."""
ROUND = 60.0
"""Seconds between two rounds, at most; what lives shorter is looked after more often."""
CHORE = "retention"

_ENDED = [status.value for status in RenderStatus if status.ended]
_WITHOUT_VIDEO = [RenderStatus.failed.value, RenderStatus.canceled.value]

logger = logging.getLogger(__name__)


class Retention:
    """The rounds of one service."""

    def __init__(self, settings: Settings, store: RenderStore, storage: Storage) -> None:
        self._settings = settings
        self._store = store
        self._storage = storage
        self._strays = Strays(store, storage)
        self._assets = Assets(settings, store.database, storage)
        lifetimes = [settings.video_ttl, settings.record_ttl, settings.failed_ttl, settings.cache_ttl]
        self._pause = max(1.0, min([ROUND, *(one / 4 for one in lifetimes if one is not None)]))

    async def run(self) -> None:
        """Go round again and again, until canceled."""
        while True:
            try:
                await self._strays.sweep()
                if await self._is_ours():
                    await self.sweep()
                if self._settings.cache_ttl is not None:
                    folder = self._settings.data_dir.absolute() / "cache"
                    await asyncio.to_thread(expire, folder, self._settings.cache_ttl)
            except (DatabaseError, StorageError) as error:
                logger.warning("what has expired was not removed: %s", error)
            except Exception:  # it must go on, or nothing expires any more
                logger.exception("what has expired was not removed")
            await asyncio.sleep(self._pause)

    async def sweep(self) -> None:
        """Let expire what has lived long enough, as much of it as a round may."""
        # Whoever goes round: what has lived long enough is not for this host's clock to say.
        async with self._store.database.read() as connection:
            now = await present(connection)
        if self._settings.video_ttl is not None:
            await self._expire_videos(now - timedelta(seconds=self._settings.video_ttl))
        for render_id in await self._old_records(now):
            await self._store.delete(render_id)
        if self._settings.record_ttl is not None:
            await self._forget_batches(now - timedelta(seconds=self._settings.record_ttl))
        for place, stored in await self._store.videos.unshown(AT_ONCE):
            await self._storage.delete(place, stored)
            await self._store.videos.forget(place)
        await self._assets.sweep(AT_ONCE)

    async def _expire_videos(self, before: datetime) -> None:
        old = select(renders.c.id, renders.c.place).where(renders.c.place.is_not(None), renders.c.finished_at < before)
        old = old.order_by(renders.c.finished_at).limit(AT_ONCE).with_for_update(skip_locked=True)
        async with self._store.database.write() as connection:
            rows = (await connection.execute(old)).all()
            values = {"place": None, "expired_at": Present()}
            await connection.execute(update(renders).where(renders.c.id.in_([row.id for row in rows])).values(values))
            await hide(connection, [row.place for row in rows])
            await expire_joined(connection, before, AT_ONCE)

    async def _old_records(self, now: datetime) -> list[str]:
        record, failed = self._settings.record_ttl, self._settings.failed_ttl
        which: list[ColumnElement[bool]] = []
        if record is not None:
            which.append(renders.c.finished_at < now - timedelta(seconds=record))
        if failed is not None:
            is_old = renders.c.finished_at < now - timedelta(seconds=failed)
            which.append(is_old & renders.c.status.in_(_WITHOUT_VIDEO))
        if not which:
            return []
        old = select(renders.c.id).where(renders.c.status.in_(_ENDED), or_(*which))
        async with self._store.database.read() as connection:
            rows = await connection.execute(old.order_by(renders.c.finished_at).limit(AT_ONCE))
            return [row.id for row in rows]

    async def _forget_batches(self, before: datetime) -> None:
        """Remove batches that have ended long ago, and of which no render is left."""
        left = exists(select(renders.c.id).where(renders.c.batch_id == batches.c.id))
        old = select(batches.c.id).where(batches.c.finished_at < before, ~left).limit(AT_ONCE)
        async with self._store.database.write() as connection:
            ids = (await connection.execute(old)).scalars().all()
            await self._store.delete_batches(connection, ids)

    async def _is_ours(self) -> bool:
        """Take this round, unless another service has, a short while ago."""
        # So far ahead it was never put: the clock has been set back since.
        is_due = or_(chores.c.until <= Now(), chores.c.until > Now() + self._pause)
        due = (chores.c.name == CHORE, is_due)
        async with self._store.database.read() as connection:
            known = (await connection.execute(select(chores.c.name, is_due))).all()
        if any(name == CHORE and not its_turn for name, its_turn in known):
            return False
        async with self._store.database.write() as connection:
            # By the database's clock, and a little earlier than the next look, so that the same one may take it again.
            taken = {"until": Now() + 0.9 * self._pause}
            if (await connection.execute(update(chores).where(*due).values(taken))).rowcount:
                return True
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            first = insert(chores).values(name=CHORE, **taken).on_conflict_do_nothing()
            return (await connection.execute(first)).rowcount == 1
