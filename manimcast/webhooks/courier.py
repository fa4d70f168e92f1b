"""Takes deliveries that are due, sends them, and writes down what came of it: one loop in each service.

How many are under way at once is bounded, for the service, for each receiver and for each tenant. So one that hangs, or
a tenant with many such, keeps nobody else waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from manimcast.database import DatabaseError
from manimcast.settings import Settings
from manimcast.webhooks import message
from manimcast.webhooks.addresses import AddressRules
from manimcast.webhooks.model import Claimed, DeliveryState
from manimcast.webhooks.network import Resolve, Resolver
from manimcast.webhooks.sender import Answer, Sender
from manimcast.webhooks.signing import SecretError, Secrets
from manimcast.webhooks.store import LEASE_MARGIN, DeliveryStore
from manimcast.webhooks.target import Target, TargetError

LOOK_AGAIN = 1.0
"""Seconds between looks at the table: what is entered, here or elsewhere, is not announced."""
HASTEN = 15.0
"""Seconds between looks for what waits only because the database's clock has been set back."""
WRITE_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between tries at writing down what came of an attempt."""
LAST_WORDS = 3.0
"""Seconds that what is under way may take at the end of the service."""

Compose = Callable[[Claimed], Awaitable[Any]]
"""Returns what a delivery tells of its subject, as JSON."""

logger = logging.getLogger(__name__)


class Courier:
    """The deliveries that one service sends. ``compose`` says what is in them, ``resolve`` where receivers are."""

    def __init__(
        self, settings: Settings, store: DeliveryStore, compose: Compose, *, resolve: Resolve | None = None
    ) -> None:
        self._store = store
        self._compose = compose
        self._secrets = Secrets(settings)
        self._sender = Sender(AddressRules(settings.webhook_allowed_networks), resolve or Resolver())
        self._timeout = settings.webhook_timeout
        self._slots = settings.webhook_slots
        self._signs = settings.signs_webhooks
        self._under_way: dict[asyncio.Task[None], Claimed] = {}
        self._changed = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._hastened = -HASTEN

    async def start(self) -> None:
        """Begin to send, if this service has what to sign with."""
        if self._signs:
            self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Take nothing more; what does not end in a moment is given back, and sent again by who takes it next."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_WORDS)
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            taken = 0
            try:
                taken = await self._take()
            except DatabaseError as error:
                logger.error("cannot take a webhook: %s", error)  # noqa: TRY400 - the message says it all
            except Exception:  # it must go on, or nobody hears of anything any more
                logger.exception("cannot take a webhook")
            if not taken:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), LOOK_AGAIN)

    async def _take(self) -> int:
        """Begin what is due and fits; return how much that was."""
        room = self._slots - len(self._under_way)
        if room < 1:
            return 0
        began = asyncio.get_running_loop().time()
        if began - self._hastened >= HASTEN:
            self._hastened = began
            if count := await self._store.hasten():
                logger.warning("the clock was set back: %d webhooks are sent now, and not only when it is again", count)
        # Shielded: what has been taken must be begun, or nobody sends it before its lease has run out.
        taking = asyncio.ensure_future(
            self._store.claim(
                room=room,
                per_tenant=max(1, self._slots // 2),
                busy=Counter(claimed.place for claimed in self._under_way.values()),
                tenants=Counter(claimed.tenant for claimed in self._under_way.values()),
            )
        )
        try:
            taken = await asyncio.shield(taking)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseError):  # else their leases run out
                for claimed in await taking:
                    await self._store.interrupt(claimed)
            raise
        now = asyncio.get_running_loop().time()
        # Never past the lease, which began some time after `began`.
        deadline = min(now + self._timeout, began + self._timeout + LEASE_MARGIN - sum(WRITE_PAUSES))
        for claimed in taken:
            task = asyncio.create_task(self._deliver(claimed, deadline))
            self._under_way[task] = claimed
            task.add_done_callback(self._done)
        return len(taken)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._changed.set()

    async def _deliver(self, claimed: Claimed, deadline: float) -> None:
        try:
            answer = await self._send(claimed, deadline)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseError):  # else the lease runs out
                await self._store.interrupt(claimed)
            raise
        except SecretError as error:
            logger.error("webhook %s cannot be signed: %s", claimed.id, error)  # noqa: TRY400 - the message says it all
            answer = Answer("the service has nothing to sign it with")
        except TargetError as error:  # one that was taken before the rules became stricter
            answer = Answer(f"the URL {error}")
        except Exception:  # whatever it was, it is tried again
            logger.exception("webhook %s broke off", claimed.id)
            answer = Answer("the service had a fault")
        for pause in (*WRITE_PAUSES, None):
            try:
                state = await self._store.record(claimed, answer)
            except DatabaseError as error:
                logger.error("what came of webhook %s is not written: %s", claimed.id, error)  # noqa: TRY400
                if pause is None:
                    return  # its lease runs out, and it is sent again
                await asyncio.sleep(pause)
            else:
                level = logging.WARNING if state is DeliveryState.failed else logging.INFO
                logger.log(level, "Webhook %s for %s: %s (%s)", claimed.id, claimed.subject, answer.reason, state)
                return

    async def _send(self, claimed: Claimed, deadline: float) -> Answer:
        target = Target.parse(claimed.url)
        text = message.body(claimed.type, claimed.created, await self._compose(claimed))
        secrets = await asyncio.to_thread(self._secrets.current)
        headers = message.headers(claimed.id, text, secrets, now=claimed.taken)
        return await self._sender.send(target, headers, text.encode(), deadline=deadline)
