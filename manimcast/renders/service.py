"""What the faces of the service use: submit a render, look at it, wait for it, listen to it, cancel it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any

from manimcast.database import DatabaseError
from manimcast.executors.base import Executor
from manimcast.executors.policy import AUTO
from manimcast.renders.errors import QueueFull, RenderNotFound
from manimcast.renders.events import Event
from manimcast.renders.feed import Feed
from manimcast.renders.fleet import Offer
from manimcast.renders.idempotency import RequestKey
from manimcast.renders.ids import IdMaker
from manimcast.renders.model import CacheMode, Render, RenderStatus
from manimcast.renders.outcomes import CANCELED, finished
from manimcast.renders.rows import NewRender, State, attempt_of, id_of
from manimcast.renders.store import RenderStore
from manimcast.renders.watch import Watch
from manimcast.renders.worker import Worker
from manimcast.settings import Role, Settings
from manimcast.spec import RenderSpec
from manimcast.storage import Storage, StoredFile, StoredResult, UnderWay


class RenderService:
    """The renders of one service process.

    Every method that takes a ``tenant`` sees that tenant's renders only and raises :class:`RenderNotFound` for
    others. All methods may raise :class:`DatabaseError` when the database cannot be read or written.
    """

    def __init__(self, settings: Settings, store: RenderStore, executors: Sequence[Executor], storage: Storage) -> None:
        self._settings = settings
        self._store = store
        self._executors = executors
        self._storage = storage
        self._feed = Feed(store.events)
        self._ids = IdMaker()
        self._worker = Worker(settings, store, executors, storage, self._feed)
        self._watch = Watch(store, self._feed, self._worker)
        self._watching: asyncio.Task[None] | None = None

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
        except BaseException:
            await self.stop(grace=0)
            raise
        self._worker.start()
        self._watching = asyncio.create_task(self._watch.run())

    async def _take_over(self, found: UnderWay) -> None:
        """End a render whose video a dead service had finished; remove a video that no row tells of.

        Whoever stored it is dead, or the storage would not hand it to us; so the attempt is nobody's, unless somebody
        else has begun the next one, which the fence knows.
        """
        render_id, stored = id_of(found.render_id), found.stored.model_copy(update={"place": found.render_id})
        if await self._store.finish(render_id, attempt_of(found.render_id), finished(found.report, stored)):
            return
        render = await self._store.get(render_id)
        if render is None or render.result is None or render.result.files != stored.files:
            await self._storage.delete(found.render_id, stored)

    def drain(self) -> None:
        """Take and begin no more renders. For the moment that SIGTERM arrives; :meth:`stop` does it too."""
        self._worker.drain()

    async def stop(self, grace: float | None = None) -> None:
        """End: running renders may take ``grace`` seconds (``SHUTDOWN_GRACE``) more, then go back to the queue.

        What is queued stays for the next start. Those who listen and wait are let go.
        """
        with contextlib.suppress(DatabaseError):  # else it is missed after a while
            await self._worker.fleet.leave()
        async with contextlib.AsyncExitStack() as last:
            # In the order from the bottom up, and each whatever happens to the others.
            last.push_async_callback(self._store.close)
            last.push_async_callback(self._let_go)
            last.push_async_callback(self._storage.stop)
            last.push_async_callback(self._worker.leave)
            for executor in self._executors:
                last.push_async_callback(executor.stop)
            await self._worker.stop(self._settings.shutdown_grace if grace is None else grace)

    async def _let_go(self) -> None:
        """Let all go who listen and wait, once they have heard what has happened, as the table is to be closed."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
            with contextlib.suppress(DatabaseError):
                await self._watch.look()
        await self._feed.close()

    async def submit(
        self,
        spec: RenderSpec,
        *,
        tenant: str,
        executor: str = AUTO,
        cache: CacheMode = CacheMode.use,
        priority: int = 0,
        metadata: dict[str, Any] | None = None,
        key: RequestKey | None = None,
    ) -> Render:
        """Queue a render and return it. It is in the table, and survives a crash, when this returns.

        With ``cache`` at ``use``, a render whose result is kept has ended when this returns; it waits for no slot.
        ``executor`` is the name of the one executor that may run it, or ``auto``. Raises :class:`NoExecutor` when
        nothing could run it, :class:`QueueFull` when as many run as can at once and ``QUEUE_LIMIT`` wait, and
        :class:`KeyTakenError` when ``key`` belongs to a render already.
        """
        new = NewRender(self._ids.next(), tenant, spec, executor, cache, priority, metadata, key)
        chosen = await self._worker.offer_for(executor)
        if cache is CacheMode.use:
            if await self._worker.run_kept(new, chosen):
                return await self._read(new.id, tenant)
            self._worker.expect(new, chosen)
        try:
            admitted = await self._store.insert(new, room=self.slots + self._settings.queue_limit)
        except BaseException:
            self._worker.forget(new.id)
            raise
        if not admitted:
            self._worker.forget(new.id)
            raise QueueFull(float(min(300, max(1, math.ceil(chosen.average / chosen.slots)))))
        self._worker.wake()
        return await self._read(new.id, tenant)

    async def get(self, render_id: str, *, tenant: str) -> Render | None:
        """Return the render as it is now, or None when the tenant has no such render."""
        try:
            return await self._read(render_id, tenant)
        except RenderNotFound:
            return None

    async def newest(
        self, *, tenant: str, statuses: Collection[RenderStatus] = (), before: str | None = None, limit: int = 50
    ) -> list[Render]:
        """Return up to ``limit`` renders, the newest first: those older than the one with id ``before``."""
        return await self._store.newest(tenant=tenant, statuses=statuses, before=before, limit=limit)

    async def delete(self, render_id: str, *, tenant: str) -> None:
        """Cancel the render if it has not ended, and remove it with all its files."""
        render = await self.cancel(render_id, tenant=tenant)
        # The files first: of a render that is gone nobody could tell which they were.
        if render.result is not None:
            await self._storage.delete(render.result.place, StoredResult(files=render.result.files))
        await self._store.delete(render_id)

    async def spec(self, render_id: str, *, tenant: str) -> RenderSpec | None:
        """Return what was asked for, code included, or None when the tenant has no such render."""
        return await self._store.spec(render_id, tenant=tenant)

    async def file(self, place: str, name: str) -> StoredFile | None:
        """Return what is known of a file, whoever's it is; for those whose link has shown that they may have it."""
        render = await self._store.get(id_of(place))
        if render is None or render.result is None or render.result.place != place:
            return None
        return next((file for file in render.result.files if file.name == name), None)

    async def wait(self, render_id: str, *, tenant: str, timeout: float | None = None) -> Render:
        """Return the render when it has ended, or as it is after ``timeout`` seconds, or when the service ends."""
        render = await self._read(render_id, tenant)
        if render.status.ended:
            return render
        with self._feed.topic(render_id):  # at the end of the service, it stays open until this has been read
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._feed.until(render_id, lambda state: state.status.ended), timeout)
            return await self._read(render_id, tenant)

    async def cancel(self, render_id: str, *, tenant: str, wait: bool = True) -> Render:
        """Cancel the render and return it; one that has ended stays as it is.

        The render counts as canceled at once. With ``wait``, this returns only when nothing of it runs any more.
        """
        render = await self._read(render_id, tenant)
        while not render.status.ended:
            if await self._store.end(render_id, status=render.status, outcome=CANCELED):
                if render.status is RenderStatus.queued:
                    self._worker.forget(render_id)
                else:
                    self._worker.abort(render_id)
            render = await self._read(render_id, tenant)
        if wait:
            await self._feed.until(render_id, lambda state: state.status.ended and not state.is_live)
        return render

    async def events(self, render_id: str, *, tenant: str, after: int = 0) -> AsyncGenerator[Event, None]:
        """Yield what has happened to the render since event ``after``, and what happens, up to the event that ends it.

        The last event may be missing: when the render is deleted, when its end could not be recorded, or when the
        service ends first.
        """
        async with contextlib.aclosing(self.event_batches(render_id, tenant=tenant, after=after)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    async def event_batches(
        self, render_id: str, *, tenant: str, after: int = 0, idle: float | None = None
    ) -> AsyncGenerator[list[Event], None]:
        """Yield what :meth:`events` does, as many at once as there are, and an empty list after ``idle`` seconds."""
        await self.state(render_id, tenant=tenant)
        async with contextlib.aclosing(self._feed.listen(render_id, after, idle=idle)) as batches:
            async for batch in batches:
                yield batch

    async def state(self, render_id: str, *, tenant: str) -> State:
        """Return where the render stands, and the number of its last event."""
        state = await self._store.state(render_id, tenant=tenant)
        if state is None:
            raise RenderNotFound(render_id)
        return state

    @property
    def slots(self) -> int:
        """How many renders run at once, in all services, on what is available there."""
        return self._worker.fleet.slots

    def offers(self) -> list[Offer]:
        """Return what can run renders, the preferred one first: in all services; for a worker, what it has itself."""
        fleet = self._worker.fleet
        return fleet.own() if self._settings.role is Role.worker else fleet.offers()

    async def queue_depth(self) -> tuple[int, int]:
        """Return how many renders are queued, and how many run."""
        return await self._store.depth()

    async def _read(self, render_id: str, tenant: str) -> Render:
        """Return the table's render, with its end if only this process knows of that."""
        render = await self._store.get(render_id, tenant=tenant)
        if render is None:
            raise RenderNotFound(render_id)
        lost = self._feed.lost(render_id, render.attempt)
        if lost is None or render.status is not RenderStatus.running:
            return render
        return render.model_copy(update={"status": RenderStatus.failed, "error": lost})
