"""What the faces of the service use: submit a render, look at it, wait for it, follow it, cancel it."""

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
from manimcast.renders.fleet import Offer
from manimcast.renders.idempotency import RequestKey
from manimcast.renders.ids import IdMaker
from manimcast.renders.live import Channel, Live, News
from manimcast.renders.model import CacheMode, Render, RenderStatus
from manimcast.renders.outcomes import CANCELED, finished
from manimcast.renders.rows import NewRender, attempt_of, id_of
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
        self._live = Live()
        self._ids = IdMaker()
        self._worker = Worker(settings, store, executors, storage, self._live)
        self._watch = Watch(store, self._live, self._worker)
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

        What is queued stays for the next start. Followers are let go with the render as it is then.
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
        """Let all followers go with what the table has, as it is about to be closed."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        for render_id, channel in self._live.unended().items():
            channel.last = await self._store.get(render_id)
            self._live.close(render_id)

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
        channel = self._live.open(new.id)
        channel.is_entered = False
        try:
            admitted = await self._store.insert(new, room=self.slots + self._settings.queue_limit)
        except BaseException:
            self._discard(new.id)
            raise
        channel.is_entered = True
        if not admitted:
            self._discard(new.id)
            raise QueueFull(float(min(300, max(1, math.ceil(chosen.average / chosen.slots)))))
        self._worker.wake()
        return await self._read(new.id, tenant)

    def _discard(self, render_id: str) -> None:
        self._live.discard(render_id)
        self._worker.forget(render_id)

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

    async def wait(self, render_id: str, *, tenant: str, timeout: float) -> Render:
        """Return the render when it has ended, or as it is after ``timeout`` seconds."""
        channel, render = await self._listen(render_id, tenant)
        if channel is None or render.status.ended:
            return render
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(channel.ended.wait(), timeout)
        return channel.last or await self._read(render_id, tenant)

    async def cancel(self, render_id: str, *, tenant: str, wait: bool = True) -> Render:
        """Cancel the render and return it; one that has ended stays as it is.

        The render counts as canceled at once. With ``wait``, this returns only when nothing of it runs any more.
        """
        channel, render = await self._listen(render_id, tenant)
        while not render.status.ended:
            if await self._store.end(render_id, status=render.status, outcome=CANCELED):
                if render.status is RenderStatus.queued:
                    self._worker.forget(render_id)
                    self._live.close(render_id)
                else:
                    self._worker.abort(render_id)
            render = await self._read(render_id, tenant)
        if wait and channel is None:
            state = (await self._store.states([render_id])).get(render_id)
            if (
                state is not None and state.is_live
            ):  # somebody has canceled it already, and it still winds down elsewhere
                channel = self._live.open(render_id)
        if wait and channel is not None:
            await channel.ended.wait()
        return render

    async def follow(self, render_id: str, *, tenant: str) -> AsyncGenerator[News | Render, None]:
        """Yield what the render says, as it says it, and last the render.

        What the present attempt has said so far comes first. The wire's own last message is left out: the render
        says how it ended. Every attempt opens with an :class:`~manimcast.renders.live.AttemptBegan`; the next one
        begins again at animation 0.
        """
        channel, render = await self._listen(render_id, tenant)
        if channel is not None:
            async with contextlib.aclosing(channel.follow()) as messages:
                async for message in messages:
                    yield message
            render = channel.last or await self._read(render_id, tenant)
        yield render

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

    async def _listen(self, render_id: str, tenant: str) -> tuple[Channel | None, Render]:
        """Return the render with its channel, which one that has ended long ago has not."""
        # The channel first: it is there until the table says that the render has ended.
        channel = self._live.get(render_id)
        render = await self._read(render_id, tenant)
        if channel is None and not render.status.ended:  # another service runs it, or it waits since before our start
            channel = self._live.open(render_id)
        return channel, render

    async def _read(self, render_id: str, tenant: str) -> Render:
        """Return the table's render with what is fresher in memory."""
        channel = self._live.get(render_id)
        render = await self._store.get(render_id, tenant=tenant)
        if render is None:
            raise RenderNotFound(render_id)
        if channel is None or render.status is not RenderStatus.running:
            return render
        if channel.lost is not None:
            return render.model_copy(update={"status": RenderStatus.failed, "error": channel.lost})
        return render.model_copy(update={"progress": channel.progress or render.progress})
