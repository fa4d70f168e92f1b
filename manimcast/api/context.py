"""What the handlers of requests work with: one per application, and the tenant of each request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Self

from fastapi import Depends, Request

from manimcast.access import Access, UnauthorizedError
from manimcast.api.payloads import Payloads
from manimcast.api.problems import Problem, ProblemError, missing
from manimcast.api.warnings import announce
from manimcast.assets import Assets
from manimcast.executors.base import Executor
from manimcast.renders import Batches, Inspections, JoinStore, JoinWorker, Notices, Render, RenderService, RenderStore
from manimcast.settings import Settings
from manimcast.storage import Storage, from_settings
from manimcast.webhooks import Courier, DeliveryStore


class NothingRendersError(Exception):
    """No executor will ever be available. The message says why, and what helps."""


@dataclass
class Context:
    """The parts of a running service. ``stopping`` is set once it takes no more renders."""

    settings: Settings
    access: Access
    storage: Storage
    executors: Sequence[Executor]
    renders: RenderService
    batches: Batches
    inspections: Inspections
    deliveries: DeliveryStore
    assets: Assets
    stopping: bool = field(default=False)
    _announcement: asyncio.Task[None] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings, executors: Sequence[Executor]) -> Self:
        """Put the parts together; nothing is opened before :meth:`start`."""
        store, storage = RenderStore(settings), from_settings(settings)
        deliveries = DeliveryStore(store.database, settings.webhook_timeout)
        notices = Notices(deliveries)
        store.witnesses.append(notices)
        joins = JoinStore(store, settings.lease_ttl)
        courier = Courier(settings, deliveries, Payloads(settings, store, joins, storage).compose)
        joiner = JoinWorker(settings, joins, storage, executors)
        renders = RenderService(settings, store, executors, storage, [courier, joiner])
        batches, inspections = Batches(settings, store, renders, joins), Inspections(settings, executors)
        batches.witnesses.append(notices.of_batch)
        store.forgetting.append(deliveries.forget)
        assets = Assets(settings, store.database, storage)
        access = Access(settings)
        return cls(settings, access, storage, executors, renders, batches, inspections, deliveries, assets)

    async def start(self) -> None:
        """Open everything.

        Raises ``DatabaseError``, ``StorageError`` or :class:`NothingRendersError`, which say what to do.
        """
        await self.renders.start()
        await self.assets.start()
        statuses = {executor.name: executor.status() for executor in self.executors}
        if statuses and all(status.lasting and not status.available for status in statuses.values()):
            await self.renders.stop(grace=0)
            raise NothingRendersError("; ".join(f"{name}: {status.reason}" for name, status in statuses.items()))
        if self.executors:
            self._announcement = asyncio.create_task(announce(self.settings, self.executors))

    def drain(self) -> None:
        """Take no more renders; what runs goes on."""
        self.stopping = True
        self.renders.drain()

    async def stop(self, grace: float | None = None) -> None:
        """Close everything; running renders may take ``grace`` seconds more, ``SHUTDOWN_GRACE`` by default."""
        self.drain()
        if self._announcement is not None:
            self._announcement.cancel()
            await asyncio.wait({self._announcement})
        await self.renders.stop(grace)


def context_of(request: Request) -> Context:
    """Return the context of the application that answers ``request``."""
    found = request.app.state.context
    assert isinstance(found, Context)  # noqa: S101 - set by create_app
    return found


InContext = Annotated[Context, Depends(context_of)]


def tenant_of(request: Request, context: InContext) -> str:
    """Return whose request this is, or refuse it."""
    try:
        return context.access.identify(request.headers)
    except UnauthorizedError as error:
        raise ProblemError(
            Problem.unauthorized, str(error), headers={"www-authenticate": 'Bearer realm="manimcast"'}
        ) from None


Tenant = Annotated[str, Depends(tenant_of)]


async def find(context: Context, render_id: str, tenant: str) -> Render:
    """Return the tenant's render, or refuse with ``render_not_found``; another tenant's does not exist."""
    render = await context.renders.get(render_id, tenant=tenant)
    if render is None:
        raise missing(Problem.render_not_found, "render", render_id)
    return render
