"""What webhooks carry: the render, or the batch, with fresh links."""

from __future__ import annotations

from manimcast.api.shown import join_json, render_json
from manimcast.renders import JoinStore, RenderStore
from manimcast.settings import Settings
from manimcast.spec import JsonObject
from manimcast.storage import Storage
from manimcast.webhooks import Claimed


class Payloads:
    """Puts together what is sent."""

    def __init__(self, settings: Settings, store: RenderStore, joins: JoinStore, storage: Storage) -> None:
        self._public_url = settings.public_url
        self._store = store
        self._joins = joins
        self._storage = storage

    async def compose(self, delivery: Claimed) -> JsonObject:
        """Return what a delivery tells of: a render, or a batch; one that was deleted meanwhile without links."""
        base = self._public_url or delivery.base or ""
        render = await self._store.get(delivery.subject, tenant=delivery.tenant)
        if render is not None:
            return await render_json(render, self._storage, base)
        joined = await self._joins.find(delivery.subject)
        if joined is None:
            return delivery.data
        return delivery.data | {"join": await join_json(joined, self._storage, base)}
