"""Takes renders from the table and runs them, as many at once as there are slots.

One loop does all the claiming. It looks at the table when something has changed: a render was submitted, a
slot became free, the service is to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import socket
import time
import uuid
from collections import deque
from collections.abc import Sequence

from manimcast.executors.base import Executor
from manimcast.renders.attempt import Attempt, Stop
from manimcast.renders.errors import NoExecutor, StoreError
from manimcast.renders.live import Live
from manimcast.renders.rows import Claim
from manimcast.renders.store import RenderStore
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, SceneError
from manimcast.storage import LocalStorage

LOOK_AGAIN = 1.0
"""Seconds until the loop looks again when no executor is available, or the table cannot be read."""
TYPICAL_RENDER = 10.0
"""Seconds that a render is taken to need while none has been seen."""

logger = logging.getLogger(__name__)


class Worker:
    """The slots of one service."""

    def __init__(
        self, settings: Settings, store: RenderStore, executors: Sequence[Executor], storage: LocalStorage, live: Live
    ) -> None:
        self._settings = settings
        self._store = store
        self._executors = executors
        self._storage = storage
        self._live = live
        self._owner = f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._work = settings.data_dir.absolute() / "work"
        self._attempts: dict[str, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._recent: deque[float] = deque(maxlen=20)
        self.draining = False

    def start(self) -> None:
        """Begin to take renders."""
        self._loop = asyncio.create_task(self._claim_all())

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

    def abort(self, render_id: str) -> None:
        """Stop the attempt of a render that the table says is canceled, if it runs."""
        attempt = self._attempts.get(render_id)
        if attempt is not None:
            attempt.stop(Stop.canceled)

    def executor(self) -> Executor:
        """Return the first executor that is available, or raise :class:`NoExecutor` with every one's reason."""
        if self.draining:
            raise NoExecutor("the service is shutting down")
        reasons = []
        for executor in self._executors:
            status = executor.status()
            if status.available:
                return executor
            reasons.append(f"{executor.name}: {status.reason or 'not available'}")
        raise NoExecutor("; ".join(reasons) or "no executor is configured")

    def retry_after(self) -> float:
        """Return in how many seconds about a slot becomes free, judging by the last renders."""
        average = sum(self._recent) / len(self._recent) if self._recent else TYPICAL_RENDER
        return float(min(300, max(1, math.ceil(average / self._settings.slots))))

    async def _claim_all(self) -> None:
        while not self.draining:
            self._changed.clear()
            try:
                patience = None if not self._is_free or await self._claim_one() else LOOK_AGAIN
            except StoreError as error:
                logger.error("cannot take a render: %s", error)  # noqa: TRY400 - the message says it all
                patience = LOOK_AGAIN
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), patience)

    @property
    def _is_free(self) -> bool:
        return len(self._tasks) < self._settings.slots

    async def _claim_one(self) -> bool:
        """Start the next render, if there is one; tell False if one may wait that nothing can run now."""
        try:
            executor = self.executor()
        except NoExecutor:
            return self.draining
        claim = await self._store.claim(self._owner)
        if claim is not None:
            # Registered before anything else can run, so that whoever cancels from now on finds it.
            task = asyncio.create_task(self._run(claim, self._register(claim, executor)))
            self._tasks.add(task)
            task.add_done_callback(self._released)
            self.wake()
        return True

    def _register(self, claim: Claim, executor: Executor) -> Attempt:
        limit = self._settings.render_timeout
        attempt = Attempt(
            claim,
            executor,
            store=self._store,
            storage=self._storage,
            channel=self._live.open(claim.id),
            work=self._work / f"{claim.id}-{claim.attempt}",
            timeout=min(claim.spec.timeout or limit, limit),
        )
        self._attempts[claim.id] = attempt
        return attempt

    def _released(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.wake()

    async def _run(self, claim: Claim, attempt: Attempt) -> None:
        began = time.monotonic()
        ended = True
        try:
            ended = await attempt.run()
        except Exception:  # whatever it was, the slot must come free and the followers must hear of it
            logger.exception("render %s: attempt %d broke off", claim.id, claim.attempt)
            self._live.open(claim.id).lost = SceneError(code=ErrorCode.internal, message="the service had a fault")
        finally:
            if self._attempts.get(claim.id) is attempt:  # else the next attempt has begun already
                del self._attempts[claim.id]
            self._recent.append(time.monotonic() - began)
            if ended:
                self._live.close(claim.id)


async def _all_of(tasks: set[asyncio.Task[None]], timeout: float | None = None) -> None:
    """Wait until the tasks have ended, for ``timeout`` seconds at most."""
    if tasks:
        await asyncio.wait(tasks, timeout=timeout)
