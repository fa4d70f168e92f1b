"""Carries out what lies in the outbox, in the background, until it has worked.

Each parcel and each order has a task of its own, which tries, waits a little longer every time, and tries again. A few
go at once. As soon as one has worked, all that wait try again: the bucket is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field

from manimcast.storage.base import Status
from manimcast.storage.bucket import Bucket, Headers
from manimcast.storage.model import BucketError, StorageError, StoredFile, media_type
from manimcast.storage.outbox import Order, Outbox, Parcel
from manimcast.storage.resuming import Resuming

AT_ONCE = 4
"""Parcels and orders that are carried out at the same time."""
FIRST_PAUSE, LAST_PAUSE = 1.0, 300.0
"""Seconds between two tries at first, and at most; they double."""
LINGER = 5.0
"""Seconds that files stay here after they have arrived, for answers that were begun before."""

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Delivery:
    """A parcel on its way.

    ``tried`` is set once it has arrived, or has failed to for the first time. ``is_void`` says that nobody wants it
    any more. ``known`` is set once a row tells of it, or it is void: until then its note stays, whatever has arrived.
    """

    parcel: Parcel
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    known: asyncio.Event = field(default_factory=asyncio.Event)
    has_arrived: bool = False
    is_void: bool = False
    task: asyncio.Task[None] | None = None


class Uploads:
    """What is on its way to one bucket."""

    def __init__(self, outbox: Outbox, bucket: Bucket) -> None:
        self._outbox = outbox
        self._bucket = bucket
        self._resuming = Resuming(outbox, bucket)
        self._deliveries: dict[str, Delivery] = {}
        self._faults: dict[object, str] = {}
        self._orders: set[Order] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes = asyncio.Semaphore(AT_ONCE)
        self._news = asyncio.Event()

    def clear(self, keys: Iterable[str]) -> None:
        """Begin to remove the parts that whoever died had sent of objects that nobody wants any more."""
        self._start(self._resuming.abort_all(keys))

    async def stop(self) -> None:
        """Stop all of it where it is; what lies in the outbox goes on at the next start."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._bucket.close()

    def send(self, parcel: Parcel) -> None:
        """Begin to upload a parcel."""
        delivery = self._deliveries[parcel.name] = Delivery(parcel)
        delivery.task = self._start(self._deliver(delivery))

    def carry_out(self, order: Order) -> asyncio.Task[None]:
        """Begin to delete objects; those of a parcel that is being uploaded, once that is over."""
        self._orders.add(order)
        return self._start(self._delete(order))

    async def settle(self, keys: frozenset[str], timeout: float) -> None:
        """Wait until the parcel with these objects has arrived, or failed for the first time."""
        for delivery in self._of(keys):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(delivery.tried.wait(), timeout)

    def confirm(self, keys: frozenset[str]) -> None:
        """Take note that a row tells of these objects."""
        for delivery in self._of(keys):
            delivery.known.set()

    def unconfirmed(self) -> list[Parcel]:
        """Return those of which no row is known to tell."""
        return [one.parcel for one in self._deliveries.values() if not one.known.is_set()]

    def pending(self, key: str) -> bool:
        """Tell whether an object is still on its way."""
        return any(not delivery.has_arrived for delivery in self._of(frozenset({key})))

    def parcels(self, render_id: str | None = None) -> list[Parcel]:
        """Return what is here, all of it or of one render, the newest first."""
        parcels = [one.parcel for one in reversed(self._deliveries.values())]
        return [parcel for parcel in parcels if render_id in {None, parcel.render_id}]

    def status(self) -> Status:
        """Tell how much is on its way, and what is wrong, if anything is."""
        pending = sum(not one.has_arrived for one in self._deliveries.values()) + len(self._orders)
        return Status(pending, next(reversed(self._faults.values()), None))

    def _of(self, keys: frozenset[str]) -> Iterator[Delivery]:
        return (one for one in list(self._deliveries.values()) if not keys.isdisjoint(one.parcel.keys))

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(self, delivery: Delivery) -> None:
        parcel = delivery.parcel
        try:
            for pause in _pauses():
                try:
                    async with self._lanes:
                        for file in parcel.files:
                            if not delivery.is_void:
                                await self._upload(delivery, file)
                    break
                except StorageError as error:
                    self._failed(delivery, error, f"{parcel.render_id} was not uploaded", pause)
                    if not isinstance(error, BucketError):
                        return
                delivery.tried.set()
                await self._pause(pause, delivery)
            self._worked(delivery)
            delivery.has_arrived = not delivery.is_void
            delivery.tried.set()
            if not delivery.is_void:
                await asyncio.sleep(LINGER)
                await delivery.known.wait()
            else:
                await self._resuming.abort_all(parcel.keys)
            await asyncio.to_thread(self._outbox.remove, parcel)
        finally:
            delivery.tried.set()
            del self._deliveries[parcel.name]

    async def _upload(self, delivery: Delivery, file: StoredFile) -> None:
        parcel = delivery.parcel
        if file.name in parcel.sent or file.key is None:
            return
        headers = Headers(media_type(file.name), f"{parcel.render_id}-{file.name}", self._bucket.is_public)
        path = self._outbox.path(parcel, file.name)
        await self._resuming.upload(file.key, path, headers, is_wanted=lambda: not delivery.is_void)
        if not delivery.is_void:
            await asyncio.to_thread(self._outbox.sent, parcel, file.name)

    async def _delete(self, order: Order) -> None:
        under_way = [delivery for delivery in self._of(frozenset(order.keys)) if delivery.task is not None]
        for delivery in under_way:
            # It is let end what it is at, as what it has sent already could arrive after the deletion.
            delivery.is_void = True
            delivery.known.set()
        self._wake()
        await asyncio.gather(*(one.task for one in under_way if one.task is not None), return_exceptions=True)
        for pause in _pauses():
            try:
                async with self._lanes:
                    for key in order.keys:
                        await self._bucket.delete(key)
                await asyncio.to_thread(self._outbox.done, order)
                break
            except StorageError as error:
                self._failed(order, error, "objects were not deleted", pause)
            await self._pause(pause)
        self._worked(order)
        self._orders.discard(order)

    def _failed(self, what: object, error: StorageError, then: str, pause: float) -> None:
        if self._faults.get(what) != str(error):  # once for each reason, however often it is tried
            logger.warning("%s: %s Tried again, first in %.0f s.", then, error, pause)
        self._faults[what] = str(error)

    def _worked(self, what: object) -> None:
        if self._faults.pop(what, None) is not None:
            logger.info("The bucket works again")
        self._wake()

    def _wake(self) -> None:
        """Let all that wait try again."""
        self._news.set()
        self._news = asyncio.Event()

    async def _pause(self, seconds: float, delivery: Delivery | None = None) -> None:
        if delivery is None or not delivery.is_void:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LAST_PAUSE)
