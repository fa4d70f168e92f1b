"""Whoever wants to be told of the end of a render, or of a batch, by a webhook is, from the moment of that end.

A witness (:mod:`manimcast.renders.transitions`): the delivery is entered in the transaction that ends the render.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from manimcast.renders.batch_model import Batch
from manimcast.renders.rows import LISTED, WebhookWish, to_render
from manimcast.renders.table import renders
from manimcast.renders.transitions import Transition
from manimcast.webhooks import DeliveryStore, NewDelivery


class Notices:
    """Enters deliveries into ``store``."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store

    async def __call__(self, connection: AsyncConnection, transition: Transition) -> None:
        """Enter what a transition has to be followed by, if it has to be."""
        if transition.status is None:
            await self._store.forget(connection, transition.render_id)
        elif transition.status.ended:
            asked = (renders.c.id == transition.render_id, renders.c.webhook_url.is_not(None))
            row = (await connection.execute(select(*LISTED).where(*asked))).first()
            if row is not None:
                delivery = NewDelivery(
                    tenant=row.tenant,
                    subject=row.id,
                    type=f"render.{transition.status}",
                    url=row.webhook_url,
                    base=row.webhook_base,
                    data=to_render(row).model_dump(mode="json"),
                )
                await self._store.enqueue(connection, delivery)

    async def of_batch(self, connection: AsyncConnection, tenant: str, batch: Batch, wish: WebhookWish | None) -> None:
        """Enter what the end of a batch has to be followed by, if somebody wants that."""
        if wish is not None:
            delivery = NewDelivery(
                tenant=tenant,
                subject=batch.id,
                type=f"batch.{batch.status}",
                url=wish.url,
                base=wish.base,
                data=batch.model_dump(mode="json"),
            )
            await self._store.enqueue(connection, delivery)
