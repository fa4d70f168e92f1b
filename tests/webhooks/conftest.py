"""A courier on a real table, with deliveries of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from sqlalchemy import update

from manimcast.database import Database
from manimcast.settings import Settings
from manimcast.webhooks import Claimed, Courier, DeliveryStore, NewDelivery, courier
from manimcast.webhooks.network import Resolve
from manimcast.webhooks.table import webhook_deliveries
from tests.patience import PATIENCE
from tests.renders.conftest import anyio_backend, database_url, postgres, settings

__all__ = ["anyio_backend", "database_url", "postgres", "settings"]


class Service:
    """What one service has to do with webhooks."""

    def __init__(self, settings: Settings, resolve: Resolve | None = None) -> None:
        self.database = Database(settings)
        self.store = DeliveryStore(self.database, settings.webhook_timeout)
        self.courier = Courier(settings, self.store, self.compose, resolve=resolve)
        self.settings = settings

    async def compose(self, claimed: Claimed) -> Any:
        return claimed.data | {"told": True}

    async def tell(self, subject: str, url: str, *, tenant: str = "t", type_: str = "render.succeeded") -> None:
        """Enter a delivery."""
        async with self.database.write() as connection:
            await self.store.enqueue(connection, NewDelivery(tenant, subject, type_, url, {"id": subject}))

    async def hasten(self, subject: str) -> None:
        """Have the time come at which a subject's delivery is due again."""
        async with self.database.write() as connection:
            mine = webhook_deliveries.c.subject == subject
            await connection.execute(update(webhook_deliveries).where(mine).values(due=0))


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the table often, and wait for nobody at the end."""
    monkeypatch.setattr(courier, "LOOK_AGAIN", 0.05)
    monkeypatch.setattr(courier, "LAST_WORDS", 0.0)


Serve = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def serve(settings: Callable[..., Settings]) -> Serve:
    """Return a function that runs a service; with ``sends=False`` one whose courier stands still."""

    @contextlib.asynccontextmanager
    async def run(*, sends: bool = True, resolve: Resolve | None = None, **fields: Any) -> AsyncIterator[Service]:
        chosen = settings(**{"webhook_allowed_networks": "127.0.0.0/8", "webhook_timeout": 60, **fields})
        service = Service(chosen, resolve)
        await service.database.open()
        try:
            async with asyncio.timeout(PATIENCE):
                if sends:
                    await service.courier.start()
                yield service
        finally:
            await service.courier.stop()
            await service.database.close()

    return run
