"""What the faces of the service use: submit a render, look at it, wait for it, listen to it, cancel it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime
from typing import Any

from manimcast.executors.base import Executor
from manimcast.executors.policy import AUTO
from manimcast.renders.cancellation import Cancellation
from manimcast.renders.errors import QueueFull, RenderNotFound, StoppingError
from manimcast.renders.events import Event
from manimcast.renders.feed import Feed
from manimcast.renders.fleet import Offer
from manimcast.renders.idempotency import RequestKey
from manimcast.renders.ids import IdMaker
from manimcast.renders.kept import flight_of
from manimcast.renders.lifecycle import Companion, Lifecycle
from manimcast.renders.model import CacheMode, Render, RenderStatus
from manimcast.renders.outcomes import shown_again
from manimcast.renders.retention import Retention
from manimcast.renders.rows import Draft, NewRender, State, WebhookWish, id_of
from manimcast.renders.store import RenderStore
from manimcast.renders.watch import Watch
from manimcast.renders.worker import Worker
from manimcast.settings import Role, Settings
from manimcast.spec import RenderSpec
from manimcast.storage import Storage, StoredFile


class RenderService:
    """The renders of one service process, and the ``companions`` that start and stop with it.

    Every method that takes a ``tenant`` sees that tenant's renders only and raises :class:`RenderNotFound` for
    others. All methods may raise :class:`DatabaseError` when the database cannot be read or written.
    """

    def __init__(
        self,
        settings: Settings,
        store: RenderStore,
        executors: Sequence[Executor],
        storage: Storage,
        companions: Sequence[Companion] = (),
    ) -> None:
        self._settings = settings
        self._store = store
        self._storage = storage
        self._ids = IdMaker()
        self._feed = Feed(store.events)
        self._worker = Worker(settings, store, executors, storage)
        self._watch = Watch(store, self._feed, self._worker)
        self._retention = Retention(settings, store, storage)
        self._cancellation = Cancellation(store, self._worker, self._feed, self._read)
        self._lifecycle = Lifecycle(
            settings,
            store,
            executors,
            storage,
            worker=self._worker,
            feed=self._feed,
            watch=self._watch,
            retention=self._retention,
            companions=companions,
        )
        self._looks: dict[tuple[str, str], asyncio.Task[Render | None]] = {}

    async def start(self) -> None:
        """Open the table and the storage, take over what a dead service left, start executors and slots.

        Raises :class:`DatabaseError` (the database cannot be used, or is shared and the storage is not) or
        ``StorageError`` (``DATA_DIR`` or the bucket cannot be written).
        """
        await self._lifecycle.start()

    def drain(self) -> None:
        """Take and begin no more renders. For the moment that SIGTERM arrives; :meth:`stop` does it too."""
        self._worker.drain()

    async def stop(self, grace: float | None = None) -> None:
        """End: running renders may take ``grace`` seconds (``SHUTDOWN_GRACE``) more, then go back to the queue.

        What is queued stays for the next start. Those who listen and wait are let go.
        """
        await self._lifecycle.stop(self._settings.shutdown_grace if grace is None else grace)

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
        webhook: WebhookWish | None = None,
    ) -> Render:
        """Queue a render and return it. It is in the table, and survives a crash, when this returns.

        With ``cache`` at ``use``, a render whose result is kept has ended when this returns; it waits for no slot.
        ``executor`` is the name of the one executor that may run it, or ``auto``. Raises :class:`NoExecutor` when
        nothing could run it, :class:`QueueFull` when as many run as can at once and ``QUEUE_LIMIT`` wait, and
        :class:`KeyTakenError` when ``key`` belongs to a render already. ``webhook`` is where its end is told.
        """
        draft = Draft(spec, executor, cache, priority, metadata, webhook)
        new, chosen = await self.draft(draft, tenant=tenant, key=key)
        if new.flight is not None and chosen.versions is not None:
            name = self._worker.results.key(spec, tenant, chosen.versions)
            if await self._show_again(new, name, chosen.name) or await self._worker.run_kept(new, chosen):
                return await self._read(new.id, tenant)
        admitted = await self._store.admission.insert(new, room=self.slots + self._settings.queue_limit)
        if not admitted:
            raise QueueFull(float(min(300, max(1, math.ceil(chosen.average / chosen.slots)))))
        self._worker.wake()
        return await self._read(new.id, tenant)

    async def look(self, key: RequestKey, *, tenant: str) -> None:
        """Raise :class:`KeyTakenError` when a request with this key was taken already.

        To be asked before a request is looked at any closer, as what it needs may be gone since then.
        """
        await self._store.admission.look(tenant, key)

    async def draft(self, draft: Draft, *, tenant: str, key: RequestKey | None = None) -> tuple[NewRender, Offer]:
        """Return the render that ``draft`` asks for, which is not entered yet, and what would run it.

        Raises :class:`NoExecutor` when nothing could.
        """
        offer = await self._worker.offer_for(draft.executor)
        may_share = draft.cache is CacheMode.use and self._worker.results.on and offer.versions
        flight = flight_of(draft.spec, tenant=tenant, executor=draft.executor) if may_share else None
        asked = (draft.spec, draft.executor, draft.cache, draft.priority, draft.metadata)
        return NewRender(self._ids.next(), tenant, *asked, key, draft.webhook, flight), offer

    def wake(self) -> None:
        """Have the table looked at now, as something was queued."""
        self._worker.wake()

    async def _show_again(self, new: NewRender, key: str, executor: str) -> bool:
        """Enter a render that shows the video of an earlier one for the same request; False if there is none."""
        outcome = await shown_again(self._store.videos, self._storage, key)
        return outcome is not None and await self._store.admission.insert_shared(
            new, executor=executor, outcome=outcome
        )

    async def get(self, render_id: str, *, tenant: str) -> Render | None:
        """Return the render as it is now, or None when the tenant has no such render."""
        try:
            return await self._read(render_id, tenant)
        except RenderNotFound:
            return None

    async def ending(self, render_id: str, *, tenant: str) -> Render | None:
        """Return a render that has ended. All who ask at the same moment, as all listeners do, share one look."""
        key = render_id, tenant
        if key not in self._looks:
            self._looks[key] = asyncio.create_task(self.get(render_id, tenant=tenant))
            self._looks[key].add_done_callback(lambda _: self._looks.pop(key, None))
        return await asyncio.shield(self._looks[key])

    async def newest(
        self, *, tenant: str, statuses: Collection[RenderStatus] = (), before: str | None = None, limit: int = 50
    ) -> list[Render]:
        """Return up to ``limit`` renders, the newest first: those older than the one with id ``before``."""
        return await self._store.newest(tenant=tenant, statuses=statuses, before=before, limit=limit)

    async def delete(self, render_id: str, *, tenant: str) -> None:
        """Cancel the render if it has not ended, and remove it, with its files unless other renders show them too.

        Of several who do that at once, one does; the others find no such render. Raises :class:`StoppingError` when the
        service ends before nothing of the render runs any more: it is canceled then, and still there.
        """
        render = await self.cancel(render_id, tenant=tenant)
        while not await self._store.delete(render_id):
            if self._feed.is_closed:
                raise StoppingError
            render = await self.cancel(render_id, tenant=tenant)
        if render.result is not None:
            await self.clear([render.result.place])

    async def clear(self, places: list[str]) -> None:
        """Remove the videos at these places that no render shows any more."""
        for place, stored in await self._store.videos.unshown(len(places), places):
            await self._storage.delete(place, stored)
            await self._store.videos.forget(place)

    async def spec(self, render_id: str, *, tenant: str) -> RenderSpec | None:
        """Return what was asked for, code included, or None when the tenant has no such render."""
        return await self._store.spec(render_id, tenant=tenant)

    async def file(self, place: str, name: str) -> StoredFile | None:
        """Return what is known of a file, whoever's it is; for those whose link has shown that they may have it."""
        return await self._store.videos.file(place, name)

    async def expired(self, place: str) -> datetime | None:
        """Return when the video that was stored at ``place`` expired, as far as a render still tells."""
        render = await self._store.get(id_of(place))
        return render.result.expired_at if render is not None and render.result is not None else None

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
        return await self._cancellation.cancel(render_id, tenant=tenant, wait=wait)

    async def leave(self, render_id: str, *, tenant: str) -> None:
        """Cancel a render whose client has left; if others wait for its end, only once they have left too."""
        await self._cancellation.leave(render_id, tenant=tenant)

    async def end_orphans(self, batch_id: str) -> None:
        """Cancel what only went on for renders of a batch that were canceled."""
        await self._cancellation.end_orphans(batch_id)

    async def events(self, render_id: str, *, tenant: str, after: int = 0) -> AsyncGenerator[Event, None]:
        """Yield what has happened to the render since event ``after``, and what happens, up to the event that ends it.

        The last event may be missing: when the render is deleted, or when the service ends first.
        """
        _, batches = await self.listen(render_id, tenant=tenant, after=after)
        async with contextlib.aclosing(batches):
            async for batch in batches:
                for event in batch:
                    yield event

    async def listen(
        self, render_id: str, *, tenant: str, after: int = 0, idle: float | None = None
    ) -> tuple[State, AsyncGenerator[list[Event], None]]:
        """Return where the render stands, and what :meth:`events` yields: as many events at once as there are.

        An empty list is yielded after ``idle`` seconds without any.
        """
        state = await self._store.state(render_id, tenant=tenant)
        if state is None:
            raise RenderNotFound(render_id)
        return state, self._feed.listen(render_id, after, idle=idle)

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
        """Return the table's render."""
        render = await self._store.get(render_id, tenant=tenant)
        if render is None:
            raise RenderNotFound(render_id)
        return render
