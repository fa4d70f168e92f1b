"""Takes joins that are due and carries them out, one at a time in each service that can.

The videos are read from the storage when it is their turn, and go unread into a confined process; what comes out is
stored like the video of a render.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from manimcast.database import DatabaseError
from manimcast.executors.base import Executor, ExecutorError
from manimcast.executors.joining import CannotJoinError, Joiner
from manimcast.renders.joins import JoinClaim, JoinStore
from manimcast.renders.leases import BEATS
from manimcast.renders.model import Render, RenderResult
from manimcast.renders.owners import Owner
from manimcast.renders.parts import NotThereYetError, look, report_of, result_of
from manimcast.renders.rows import place_of
from manimcast.renders.watch import INTERVAL
from manimcast.settings import Settings
from manimcast.spec import RenderReport
from manimcast.storage import Storage, StorageError

T = TypeVar("T")

LOOK_AGAIN = 1.0
"""Seconds between looks at the table: that renders have ended is not announced between services."""
AFTER_FAULT = 5.0
"""Seconds before another look when something was at fault."""

logger = logging.getLogger(__name__)


class _LostError(Exception):
    """The join is not this attempt's any more."""


@dataclass(frozen=True)
class _Made:
    """A joined video that is still to be stored: the renders that were found, and the results of those in it."""

    found: Sequence[Render]
    results: Sequence[RenderResult]
    report: RenderReport


class JoinWorker:
    """Carries out joins on the first of ``executors`` that can, if one can."""

    def __init__(self, settings: Settings, store: JoinStore, storage: Storage, executors: Sequence[Executor]) -> None:
        self._settings = settings
        self._store = store
        self._storage = storage
        self._joiner = next((executor for executor in executors if isinstance(executor, Joiner)), None)
        self._owner = Owner(settings.data_dir.absolute())
        self._loop: asyncio.Task[None] | None = None
        self._joining: str | None = None
        self._look = asyncio.Event()
        store.listeners.append(self._nudge)

    def _nudge(self, batch_id: str) -> None:
        """Look now whether a join is still ours, if it is carried out here."""
        if batch_id == self._joining:
            self._look.set()

    async def start(self) -> None:
        """Begin, if this service can join. Raises :class:`DatabaseError` when ``DATA_DIR`` cannot be written."""
        if self._joiner is not None:
            # Its own working folder: of one that dies, whoever works in this DATA_DIR removes it.
            await asyncio.to_thread(self._owner.enter)
            self._loop = asyncio.create_task(self._run(self._joiner))

    async def stop(self) -> None:
        """End; what is being joined goes back, for whoever takes it next."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        await asyncio.to_thread(self._owner.leave)

    async def _run(self, joiner: Joiner) -> None:
        while True:
            pause = LOOK_AGAIN
            try:
                if joiner.status().available and (claim := await self._store.claim()) is not None:
                    pause = 0 if await self._carry_out(claim, joiner) else AFTER_FAULT
            except DatabaseError as error:
                logger.error("cannot take a join: %s", error)  # noqa: TRY400 - the message says it all
            except Exception:  # it must go on, or no batch is joined any more
                logger.exception("a join broke off")
                pause = AFTER_FAULT
            await asyncio.sleep(pause)

    async def _carry_out(self, claim: JoinClaim, joiner: Joiner) -> bool:
        """Join, and write down how that ended. False when this service is at fault."""
        work = self._owner.work / claim.place
        self._joining = claim.batch_id
        over = asyncio.ensure_future(self._keep(claim))
        try:
            await self._store_it(claim, work, await _unless(over, self._make(claim, joiner, work)), over)
        except _LostError:
            logger.info("the join of batch %s is not this service's any more", claim.batch_id)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseError):  # else the lease runs out
                await self._store.put_back(claim, failed=False)
            raise
        except CannotJoinError as error:
            await self._store.fail(claim, f"{error}"[:4000])
        except NotThereYetError as error:  # whoever has it may be the next to try
            logger.info("the videos of batch %s are not joined yet: %s", claim.batch_id, error)
            await self._store.put_back(claim, failed=False)
            return False
        except (ExecutorError, StorageError, OSError) as error:
            logger.warning("the videos of batch %s could not be joined: %s", claim.batch_id, error)
            await self._store.put_back(claim, failed=True)
            return False
        finally:
            self._joining = None
            over.cancel()
            await asyncio.wait({over})
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
            with contextlib.suppress(DatabaseError):  # else whoever waits for it waits for the end of the lease
                await self._store.release(claim)
        return True

    async def _keep(self, claim: JoinClaim) -> None:
        """Keep the lease, and return once the join is not ours any more."""
        renewed = time.monotonic()
        is_ours = True
        while is_ours:
            self._look.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), INTERVAL)
            with contextlib.suppress(DatabaseError):  # a lease outlives some of them
                if time.monotonic() - renewed >= self._settings.lease_ttl / BEATS:
                    is_ours = await self._store.renew(claim)
                    renewed = time.monotonic()
                else:
                    is_ours = await self._store.holds(claim)

    async def _make(self, claim: JoinClaim, joiner: Joiner, work: Path) -> _Made:
        for attempt in range(1, claim.attempt):  # of a service that died before it could write down what it stored
            await self._storage.delete(place_of(claim.batch_id, attempt))
        found, now = await self._store.renders(claim.batch_id)
        videos, results, kind = look(claim, found, self._storage, now)
        await asyncio.to_thread(work.mkdir, parents=True, exist_ok=True)
        path = await joiner.join(videos, kind, into=work, timeout=self._settings.render_timeout)
        return _Made(found, results, report_of(results, path))

    async def _store_it(self, claim: JoinClaim, work: Path, made: _Made, over: asyncio.Future[None]) -> None:
        """Store the video, then say so; if nobody wants it any more, remove it again.

        Neither a cancel nor the end of the service breaks that off: what moves files would go on, and leave them.
        """
        ending = asyncio.ensure_future(self._end(claim, work, made, over))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            over.cancel()  # it does not wait for the bucket any more
            await asyncio.wait({ending})
            if not ending.cancelled() and (fault := ending.exception()) is not None:
                logger.warning("the joined video of batch %s was not stored: %s", claim.batch_id, fault)
            raise

    async def _end(self, claim: JoinClaim, work: Path, made: _Made, over: asyncio.Future[None]) -> None:
        stored = await self._storage.put(claim.place, work, made.report)
        stored = stored.model_copy(update={"place": claim.place})
        with contextlib.suppress(_LostError):  # it does not wait for the bucket then
            stored = await _unless(over, self._storage.settle(stored))
        # What cannot be written down now is not confirmed, and removed with the next attempt, or as a stray.
        if await self._store.succeed(claim, result_of(made.found, made.results, made.report, stored)):
            await self._storage.confirm(claim.place, stored)
        else:
            await self._storage.delete(claim.place, stored)


async def _unless(over: asyncio.Future[None], doing: Coroutine[Any, Any, T]) -> T:
    """Do something and return what it does; end it, and raise :class:`_LostError`, once ``over`` is done."""
    task = asyncio.ensure_future(doing)
    try:
        either: set[asyncio.Future[Any]] = {task, over}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise _LostError
        return await task
    finally:
        task.cancel()
        await asyncio.wait({task})
