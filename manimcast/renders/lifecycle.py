"""From the start of a service to its end: what is opened and begun in which order, and let go of in which."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

from manimcast.database import DatabaseError
from manimcast.executors.base import Executor
from manimcast.renders.feed import Feed
from manimcast.renders.outcomes import finished
from manimcast.renders.retention import Retention
from manimcast.renders.rows import attempt_of, id_of
from manimcast.renders.store import RenderStore
from manimcast.renders.strays import Strays
from manimcast.renders.watch import Watch
from manimcast.renders.worker import Worker
from manimcast.settings import Settings
from manimcast.storage import Storage, UnderWay


class Companion(Protocol):
    """Works on the same database for as long as renders may."""

    async def start(self) -> None:
        """Begin, the database being open."""

    async def stop(self) -> None:
        """End, if it has begun, before the database is closed."""


class Lifecycle:
    """Starts and stops the parts of one service, and the ``companions`` that live as long as it."""

    def __init__(
        self,
        settings: Settings,
        store: RenderStore,
        executors: Sequence[Executor],
        storage: Storage,
        *,
        worker: Worker,
        feed: Feed,
        watch: Watch,
        retention: Retention,
        companions: Sequence[Companion] = (),
    ) -> None:
        self._settings = settings
        self._store = store
        self._executors = executors
        self._storage = storage
        self._worker = worker
        self._feed = feed
        self._watch = watch
        self._watching: asyncio.Task[None] | None = None
        self._retention = retention
        self._retaining: asyncio.Task[None] | None = None
        self._companions = companions

    async def start(self) -> None:
        """Open the table and the storage, take over what a dead service left, start executors and slots.

        Raises :class:`DatabaseError` (the database cannot be used, or is shared and the storage is not) or
        ``StorageError`` (``DATA_DIR`` or the bucket cannot be written).
        """
        if self._store.database.is_shared and not (self._storage.is_shared or self._settings.shared_data_dir):
            raise DatabaseError(
                "DATABASE_URL is a database that several services may share, but videos would lie in this one's own "
                "DATA_DIR, where the others do not find them. Set up a bucket, or SHARED_DATA_DIR=1 if DATA_DIR is one "
                "folder for all of them."
            )
        await self._store.open()
        try:
            await self._storage.start()
            await asyncio.gather(*map(self._take_over, self._storage.under_way()))
            await self._worker.enter()
            for executor in self._executors:
                await executor.start()
            await self._worker.fleet.beat()
            for companion in self._companions:
                await companion.start()
        except BaseException:
            await self.stop(grace=0)
            raise
        self._worker.start()
        self._watching = asyncio.create_task(self._watch.run())
        self._retaining = asyncio.create_task(self._retention.run())

    async def _take_over(self, found: UnderWay) -> None:
        """End a render whose video a dead service had finished; remove a video that no row tells of.

        Whoever stored it is dead, or the storage would not hand it to us; so the attempt is nobody's, unless somebody
        else has begun the next one, which the fence knows.
        """
        render_id, stored = id_of(found.render_id), found.stored.model_copy(update={"place": found.render_id})
        render = await self._store.get(render_id)
        rates = [one.rate for one in self._executors if render is not None and one.name == render.executor]
        outcome = finished(found.report, stored, rates[0] if rates else None)
        await self._store.endings.finish(render_id, attempt_of(found.render_id), outcome)
        await Strays(self._store, self._storage).decide(found.render_id, stored)

    async def stop(self, grace: float) -> None:
        """End: running renders may take ``grace`` seconds more, then go back to the queue.

        What is queued stays for the next start. Those who listen and wait are let go.
        """
        if self._retaining is not None:
            self._retaining.cancel()
            await asyncio.wait({self._retaining})
        with contextlib.suppress(DatabaseError):  # else it is missed after a while
            await self._worker.fleet.leave()
        async with contextlib.AsyncExitStack() as last:
            # In the order from the bottom up, and each whatever happens to the others.
            last.push_async_callback(self._store.close)
            last.push_async_callback(self._let_go)
            last.push_async_callback(self._storage.stop)
            for companion in self._companions:
                last.push_async_callback(companion.stop)
            last.push_async_callback(self._worker.leave)
            for executor in self._executors:
                last.push_async_callback(executor.stop)
            await self._worker.stop(grace)

    async def _let_go(self) -> None:
        """Let all go who listen and wait, once they have heard what has happened, as the table is to be closed."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
            with contextlib.suppress(DatabaseError):
                await self._watch.look()
        await self._feed.close()
