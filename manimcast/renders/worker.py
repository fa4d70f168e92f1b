"""Takes renders from the table and runs them, on each executor as many at once as it has slots.

One loop does all the claiming. It looks at the table when something has changed: a render was submitted, a
slot became free, the service is to end. Which executor a render goes to is the policy's to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

import structlog

from manimcast.assets import Assets
from manimcast.database import DatabaseError
from manimcast.executors import policy
from manimcast.executors.base import Executor
from manimcast.renders.attempt import Attempt, Stop
from manimcast.renders.errors import NoExecutor
from manimcast.renders.fleet import NO_WORKER, Fleet, Offer
from manimcast.renders.kept import KeptResult, KeptResults
from manimcast.renders.owners import Owner
from manimcast.renders.rows import Claim, NewRender
from manimcast.renders.store import RenderStore
from manimcast.renders.stranded import Stranded
from manimcast.renders.tenure import Tenure
from manimcast.settings import Settings
from manimcast.storage import Storage

LOOK_AGAIN = 1.0
"""Seconds until the loop looks at the table again when nothing has happened here."""
PAGE = 50
"""Renders of the queue that are looked at, at once."""

logger = logging.getLogger(__name__)


class Worker:
    """The slots of one service's executors."""

    def __init__(self, settings: Settings, store: RenderStore, executors: Sequence[Executor], storage: Storage) -> None:
        self._settings = settings
        self._store = store
        self._executors = {executor.name: executor for executor in executors}
        self._storage = storage
        self.results = KeptResults(settings)
        self._assets = Assets(settings, store.database, storage)
        self._owner = Owner(settings.data_dir.absolute())
        self.fleet = Fleet(store.database, self._owner.name, settings.role, executors, lifetime=settings.lease_ttl)
        self._attempts: dict[str, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._stranded = Stranded(store, self.fleet)
        self._tenure = Tenure(store, storage, self._owner, self.fleet, running=self._attempts.keys, queued=self.wake)
        self._loop: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.draining = False

    async def enter(self) -> None:
        """Become one of those that work in ``DATA_DIR``, and take over what the dead have left there.

        Raises :class:`DatabaseError` when ``DATA_DIR`` or the table cannot be written.
        """
        await self._tenure.enter()

    def start(self) -> None:
        """Begin to take renders, if there is anything here that can run them."""
        self._tenure.start()
        if self._executors:
            self._loop = asyncio.create_task(self._claim_all())

    async def leave(self) -> None:
        """Be none of those that work in ``DATA_DIR`` any more, after :meth:`stop`."""
        await self._tenure.leave()

    def running(self) -> dict[str, Attempt]:
        """Return what runs here, by the ids of the renders."""
        return dict(self._attempts)

    def wake(self) -> None:
        """Look at the table now."""
        self._changed.set()

    def drain(self) -> None:
        """Take no more renders; those that run go on."""
        self.draining = True
        self.wake()

    async def stop(self, grace: float) -> None:
        """Let what runs go on for ``grace`` seconds, then stop it and put it back into the queue.

        To be canceled in the meantime only ends the grace.
        """
        self.drain()
        claiming = {self._loop} if self._loop is not None else set()
        try:
            await _all_of(claiming)
            await _all_of(self._tasks, grace)
        finally:
            await _all_of(claiming)
            for attempt in self._attempts.values():
                attempt.stop(Stop.shutdown)
            await _all_of(self._tasks)

    async def run_kept(self, new: NewRender, offer: Offer) -> bool:
        """Enter a render and end it at once with the kept result of the same request; return False if there is none.

        It takes no slot, and nobody in the queue waits for it. False as well while an equal one runs: this one is to
        wait for the end of that.
        """
        executor = self._executors.get(offer.name)
        if executor is None:
            return False
        work = self._work_of(new.id, 1)
        versions = executor.versions()
        kept = await self.results.take(new.spec, tenant=new.tenant, versions=versions, into=work)
        if kept is None:
            return False
        claim = None
        try:
            claim = await self._store.admission.insert_running(new, owner=self._owner.name, executor=executor.name)
        finally:
            if claim is None:
                await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
        if claim is None:
            return False
        await asyncio.shield(self._begin(claim, self._register(claim, executor, kept), None))
        return True

    def abort(self, render_id: str) -> None:
        """Stop the attempt of a render that the table says is canceled, if it runs."""
        attempt = self._attempts.get(render_id)
        if attempt is not None:
            attempt.stop(Stop.canceled)

    async def offer_for(self, asked: str) -> Offer:
        """Return what would run a new render that asks for ``asked``, or raise :class:`NoExecutor`."""
        if self.draining:
            raise NoExecutor("the service is shutting down")
        choice = self.fleet.choose(asked, {})
        if not self._executors or not isinstance(choice, policy.Use):
            await self.fleet.look()  # one that can may have come a moment ago, or gone
            choice = self.fleet.choose(asked, {})
        if isinstance(choice, policy.Use):
            return next(offer for offer in self.fleet.offers() if offer.name == choice.executor)
        raise NoExecutor(choice.reason if self.fleet.offers() else NO_WORKER)

    async def _claim_all(self) -> None:
        looked_at = -math.inf
        while not self.draining:
            self._changed.clear()
            try:
                await self._distribute()
                if time.monotonic() - looked_at >= LOOK_AGAIN:
                    await self._look_for_stranded()
                    looked_at = time.monotonic()
            except DatabaseError as error:
                logger.error("cannot take a render: %s", error)  # noqa: TRY400 - the message says it all
            except Exception:  # it must go on, or nothing is rendered here any more
                logger.exception("cannot take a render")
            # What other services queue and what an executor can do changes without a word.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_AGAIN)

    async def _distribute(self) -> None:
        """Start what can start, in the order of the queue, which is not read further than that takes.

        A render that waits for a full executor holds up none that goes to another.
        """
        passed = 0
        while asking := [asked for asked in self._asked() if self._has_room(self._choose(asked, {}))]:
            page = await self._store.claims.queued(asking=asking, limit=PAGE, after=passed)
            for waiting in page:
                if self.draining:
                    return
                executor = self._choose(waiting.requested, waiting.faults)
                if not (self._has_room(executor) and await self._start(waiting.id, executor)):
                    passed += 1
            if len(page) < PAGE:
                return

    async def _look_for_stranded(self) -> None:
        """See to those that wait and that nothing here can run."""
        runs = [asked for asked in self._asked() if self._choose(asked, {}) is not None]
        in_need = await self._store.claims.in_need(asking=runs)
        self._stranded.only(in_need)
        for waiting in in_need:
            if self._choose(waiting.requested, waiting.faults) is None:
                await self._stranded.see(waiting)
            else:
                self._stranded.free(waiting.id)

    def _asked(self) -> list[str]:
        """Return what renders that may run here ask for."""
        return [policy.AUTO, *self._executors]

    def _choose(self, asked: str, faults: policy.Faults) -> Executor | None:
        """Return what is to run, as soon as it has a free slot, a render that was failed as ``faults`` say."""
        choice = policy.choose(asked, faults, [offer.candidate for offer in self.fleet.own()])
        return self._executors[choice.executor] if isinstance(choice, policy.Use) else None

    def _has_room(self, executor: Executor | None) -> TypeGuard[Executor]:
        return executor is not None and self._busy[executor.name] < executor.slots

    async def _start(self, render_id: str, executor: Executor) -> bool:
        """Begin the next attempt of a render; return False if it does not wait any more."""
        claim = await self._store.claims.take(render_id, owner=self._owner.name, executor=executor.name)
        if claim is None:
            return False
        # Registered before anything else can run, so that whoever cancels from now on finds it.
        self._busy[executor.name] += 1
        self._begin(claim, self._register(claim, executor), executor.name)
        return True

    def _begin(self, claim: Claim, attempt: Attempt, slot_of: str | None) -> asyncio.Task[None]:
        """Run an attempt, which holds a slot of the executor ``slot_of``."""
        task = asyncio.create_task(self._run(claim, attempt, slot_of))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _work_of(self, render_id: str, attempt: int) -> Path:
        return self._owner.work / f"{render_id}-{attempt}"

    def _register(self, claim: Claim, executor: Executor, kept: KeptResult | None = None) -> Attempt:
        limit = self._settings.render_timeout
        attempt = Attempt(
            claim,
            executor,
            choose=self.fleet.choose,
            store=self._store,
            storage=self._storage,
            results=self.results,
            work=self._work_of(claim.id, claim.attempt),
            timeout=min(claim.spec.timeout or limit, limit),
            kept=kept,
            shares_segments=self._settings.trusts_itself(claim.tenant),
            assets=self._assets,
        )
        self._attempts[claim.id] = attempt
        return attempt

    async def _run(self, claim: Claim, attempt: Attempt, slot_of: str | None) -> None:
        structlog.contextvars.bind_contextvars(render_id=claim.id)  # of this task, and of those that it starts
        began = time.monotonic()
        try:
            await attempt.run()
        except Exception:  # whatever it was, the slot must come free; the render is tried again when its lease is over
            logger.exception("attempt %d broke off", claim.attempt)
        finally:
            if self._attempts.get(claim.id) is attempt:  # else the next attempt has begun already
                del self._attempts[claim.id]
            if slot_of is not None:
                self.fleet.took(slot_of, time.monotonic() - began)
                self._busy[slot_of] -= 1
            self.wake()


async def _all_of(tasks: set[asyncio.Task[None]], timeout: float | None = None) -> None:
    """Wait until the tasks have ended, for ``timeout`` seconds at most."""
    if tasks:
        await asyncio.wait(tasks, timeout=timeout)
