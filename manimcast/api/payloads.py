"""What webhooks carry: the render as it would be read now, with fresh links."""

from __future__ import annotations

from manimcast.api.shown import render_json
from manimcast.renders import RenderStore
from manimcast.settings import Settings
from manimcast.spec import JsonObject
from manimcast.storage import Storage
from manimcast.webhooks import Claimed


class Payloads:
    """Puts together what is sent."""

    def __init__(self, settings: Settings, store: RenderStore, storage: Storage) -> None:
        self._public_url = settings.public_url
        self._store = store
        self._storage = storage

    async def compose(self, delivery: Claimed) -> JsonObject:
        """Return the render that a delivery tells of; one that was deleted meanwhile as it was, without links."""
        render = await self._store.get(delivery.subject, tenant=delivery.tenant)
        if render is None:
            return delivery.data
        return await render_json(render, self._storage, self._public_url or delivery.base or "")
