"""What ends a render before it is done: somebody cancels it, or the client that waits for it leaves.

A render may go on for others that asked for the same (:mod:`.flights`). So whoever ends one looks afterwards whether
one that was left has lost the last for which it went on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from manimcast.renders.errors import RenderNotFound
from manimcast.renders.feed import Feed
from manimcast.renders.model import Render, RenderStatus
from manimcast.renders.outcomes import CANCELED
from manimcast.renders.store import RenderStore
from manimcast.renders.worker import Worker

Read = Callable[[str, str], Awaitable[Render]]
"""Returns a render of a tenant as it is now."""


class Cancellation:
    """Cancels the renders in ``store``, and stops those that ``worker`` runs."""

    def __init__(self, store: RenderStore, worker: Worker, feed: Feed, read: Read) -> None:
        self._store = store
        self._worker = worker
        self._feed = feed
        self._read = read

    async def cancel(self, render_id: str, *, tenant: str, wait: bool = True) -> Render:
        """Cancel the render and return it; one that has ended stays as it is.

        The render counts as canceled at once. With ``wait``, this returns only when nothing of it runs any more.
        """
        while (state := await self._store.state(render_id, tenant=tenant)) is not None and not state.status.ended:
            if await self._store.endings.end(render_id, status=state.status, outcome=CANCELED):
                if state.status is RenderStatus.running:
                    self._worker.abort(render_id)
                await self.end_orphans(render_id)
        render = await self._read(render_id, tenant)
        if wait:
            await self._feed.until(render_id, lambda state: state.status.ended and not state.is_live)
        return render

    async def leave(self, render_id: str, *, tenant: str) -> None:
        """Cancel a render whose client has left; if others wait for its end, only once they have left too."""
        await self._read(render_id, tenant)
        if await self._store.endings.abandon(render_id):
            await self.end_orphans(render_id)  # the others may have left at the same moment
        else:
            await self.cancel(render_id, tenant=tenant, wait=False)

    async def end_orphans(self, ended: str) -> None:
        """Cancel what only went on for renders like this one, or like those of a batch, if none is left that waits."""
        for orphan, tenant in await self._store.endings.orphans(ended):
            with contextlib.suppress(RenderNotFound):
                await self.cancel(orphan, tenant=tenant, wait=False)
