"""One try at a render on one executor: from its claim to the row that says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from manimcast.database import DatabaseError
from manimcast.executors import policy
from manimcast.executors.base import Executor, ExecutorError
from manimcast.executors.segments import Reuse
from manimcast.renders.kept import KeptResult, KeptResults, Plays
from manimcast.renders.live import AttemptBegan, Channel
from manimcast.renders.model import CacheMode, RenderCache, RenderCost, RenderProgress, RenderStatus
from manimcast.renders.outcomes import executor_at_fault, given_up, internal
from manimcast.renders.rows import Claim, Outcome
from manimcast.renders.store import RenderStore
from manimcast.spec import ErrorCode
from manimcast.storage import Storage, StorageError, StoredResult
from manimcast.wire import Failed, Finished, Message, Progressed, Terminal

PROGRESS_INTERVAL = 0.5
"""Seconds between two writes of a render's progress to the table."""
WRITE_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between tries at writing a render's end to the table."""

Choose = Callable[[str, policy.Faults], policy.Choice]
"""Says what becomes of a render that asked for an executor and was failed by some."""

logger = logging.getLogger(__name__)


class Stop(Enum):
    """Why an attempt is ended early."""

    canceled = auto()
    shutdown = auto()
    lost = auto()


class Attempt:
    """Runs one claimed render on one executor and sees to everything that follows from how it ends.

    ``choose`` tells where it would run next, should ``executor`` fail it. ``kept`` is the result of an earlier render
    for the same request, its files being in ``work``, if that is known already. ``shares_segments`` tells whether
    renders of this tenant may have segments of each other.

    Attributes
    ----------
    has_result
        Whether it ended with a result that will do for the same request again.
    """

    def __init__(
        self,
        claim: Claim,
        executor: Executor,
        *,
        choose: Choose,
        store: RenderStore,
        storage: Storage,
        results: KeptResults,
        channel: Channel,
        work: Path,
        timeout: float,
        kept: KeptResult | None = None,
        shares_segments: bool = True,
    ) -> None:
        self._claim = claim
        self._executor = executor
        self._choose = choose
        self._store = store
        self._storage = storage
        self._channel = channel
        self._work = work
        self._timeout = timeout
        self._results = results
        self._reuse: Reuse | None = None
        if shares_segments and claim.cache is not CacheMode.off:
            self._reuse = Reuse(claim.tenant, look=claim.cache is CacheMode.use)
        self._kept = kept
        self._cache: RenderCache | None = None
        self.has_result = False
        self._began = time.monotonic()
        self._stopped: Stop | None = None
        self._rendering: asyncio.Task[Terminal] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._progressed = asyncio.Event()

    @property
    def number(self) -> int:
        """Which of the render's attempts it is."""
        return self._claim.attempt

    def stop(self, why: Stop) -> None:
        """End the attempt early. Returns at once; :meth:`run` returns when nothing of it runs any more."""
        if self._stopped is None:
            self._stopped = why
            for task in (self._rendering, self._settling):
                if task is not None:
                    task.cancel()

    def _is_stopped(self) -> bool:
        return self._stopped is not None

    async def run(self) -> bool:
        """Carry the attempt through; tell whether the render has ended (else it waits for another attempt)."""
        self._channel.begin(AttemptBegan(self._executor.name, self._claim.attempt))
        # The render may have been canceled between its claim and now; from here on, stop() is what ends it.
        if not await self._store.holds(self._claim.id, self._claim.attempt):
            return await self._yield()
        try:
            return await self._conclude(await self._render())
        finally:
            await asyncio.to_thread(shutil.rmtree, self._work, ignore_errors=True)

    async def _render(self) -> Terminal | ExecutorError | None:
        """Return how the executor ended; None when it was stopped before it had an end to tell."""
        try:
            await asyncio.to_thread(self._work.mkdir, parents=True, exist_ok=self._kept is not None)
        except OSError as error:
            return Failed(error=internal(f"the working folder of the render could not be made: {error.strerror}"))
        if self._is_stopped():
            return None
        self._rendering = asyncio.create_task(self._consume())
        writer = asyncio.create_task(self._write_progress())
        try:
            done, _ = await asyncio.wait({self._rendering}, timeout=self._timeout + self._executor.overtime)
            if not done:
                self._rendering.cancel()
                await asyncio.wait({self._rendering})
                return ExecutorError(f"did not keep to the timeout of {self._timeout:g} s")
        finally:
            writer.cancel()
            await asyncio.wait({writer})
        if self._rendering.cancelled():
            return None if self._is_stopped() else ExecutorError("gave up the render")
        fault = self._rendering.exception()
        if fault is None:
            return self._rendering.result()
        if self._is_stopped():
            return None
        if isinstance(fault, ExecutorError):
            logger.debug("%s failed", self._executor.name.capitalize(), exc_info=fault)
            return fault
        logger.error("%s broke off", self._executor.name.capitalize(), exc_info=fault)
        return ExecutorError(f"{type(fault).__name__}: {fault}")

    async def _consume(self) -> Terminal:
        kept = self._kept or await self._recall()
        if kept is not None:
            return self._retell(kept)
        plays = Plays()
        stream = self._executor.render(
            self._claim.spec,
            render_id=self._claim.id,
            into=self._work,
            timeout=self._timeout,
            reuse=self._reuse,
        )
        async with contextlib.aclosing(stream):
            async for message in stream:
                if isinstance(message, Finished):
                    await self._remember(message, plays)
                if isinstance(message, Terminal):
                    return message
                plays.hear(message)
                self._tell(message)
        raise ExecutorError("ended without saying how")

    async def _recall(self) -> KeptResult | None:
        """Return what an earlier render for the same request came to, with its files in the working folder."""
        if self._claim.cache is not CacheMode.use:
            return None
        return await self._results.take(
            self._claim.spec, tenant=self._claim.tenant, versions=self._executor.versions(), into=self._work
        )

    def _retell(self, kept: KeptResult) -> Finished:
        """Say what the earlier render said, in short."""
        for message in kept.messages():
            self._channel.publish(message)
        played = kept.report.animations
        self._cache = RenderCache(hit="result", animations_reused=played, animations_rendered=0)
        self.has_result = True
        nothing = {"timings": {}, "compute_seconds": 0.0, "drawing": None, "work": None}
        return Finished(report=kept.report.model_copy(update=nothing))

    async def _remember(self, end: Finished, plays: Plays) -> None:
        """Keep the result for the same request again."""
        if self._claim.cache is CacheMode.off:
            return
        await self._results.keep(self._claim.spec, end.report, self._work, tenant=self._claim.tenant, plays=plays)
        self.has_result = True

    def _tell(self, message: Message) -> None:
        if isinstance(message, Progressed):
            elapsed = time.monotonic() - self._began
            self._channel.progress = RenderProgress.after(message.progress, elapsed)
            self._progressed.set()
        self._channel.publish(message)

    async def _write_progress(self) -> None:
        """Keep the table's progress about as fresh as people look at it."""
        while True:
            await self._progressed.wait()
            self._progressed.clear()
            if self._channel.progress is not None:
                try:
                    await self._store.progress(self._claim.id, self._claim.attempt, self._channel.progress)
                except DatabaseError as error:
                    logger.warning("the progress of the render was not written: %s", error)
            await asyncio.sleep(PROGRESS_INTERVAL)

    async def _conclude(self, end: Terminal | ExecutorError | None) -> bool:
        match end:
            case _ if self._stopped is Stop.lost:
                return False  # somebody else has it now, or it waits again
            case Finished():
                return await self._keep(end)
            case Failed(error=error) if self._stopped is not Stop.shutdown:
                if executor_at_fault(error):  # a scene that lies; what is down is for the service to say
                    error = error.model_copy(update={"exception": None})
                status = RenderStatus.canceled if error.code is ErrorCode.canceled else RenderStatus.failed
                return await self._write(Outcome(status, error=error))
            case ExecutorError():
                return await self._pass_on(end)
            case _ if self._stopped is Stop.shutdown:
                await self._store.put_back(self._claim.id, self._claim.attempt)
                return await self._yield()
            case _:
                return await self._yield()  # canceled: the row has said so since before the executor was stopped

    async def _yield(self) -> bool:
        """Let go of a render that is not this attempt's any more; tell whether it has ended.

        Those who canceled it, wherever they are, learn that nothing of it runs any more.
        """
        try:
            await self._store.leases.release(self._claim.id, self._claim.attempt)
            state = (await self._store.states([self._claim.id])).get(self._claim.id)
        except DatabaseError as error:
            logger.warning("what became of the render is not known: %s", error)
            return self._stopped is Stop.canceled
        return state is None or state.status.ended

    async def _pass_on(self, error: ExecutorError) -> bool:
        """Queue the render for its next attempt, here or elsewhere, or end it when there is none left."""
        faults = policy.failed(self._claim.faults, self._executor.name, error)
        name = self._executor.name
        headline = error.headline or f"{name.capitalize()} failed: {error}".rstrip(".")
        choice = self._choose(self._claim.requested, faults)
        if not isinstance(choice, policy.Use):
            logger.error("%s. Nothing is left to render it.", headline)
            return await self._write(given_up(choice.reason))
        if not await self._store.put_back(self._claim.id, self._claim.attempt, faults=faults):
            return await self._yield()
        then = "Trying again" if choice.executor == name else f"Falling back to {choice.executor} rendering"
        logger.warning("%s. %s.", headline, then)
        return False

    async def _keep(self, end: Finished) -> bool:
        """Move the files into the storage, then say so; if nobody wants them any more, remove them again."""
        seconds = end.report.compute_seconds
        cost = self._executor.rate.estimate(time.monotonic() - self._began if seconds is None else seconds)
        try:
            stored = await self._storage.put(self._claim.place, self._work, end.report)
            stored = stored.model_copy(update={"place": self._claim.place})
        except StorageError as error:
            logger.error("the video was not stored: %s", error)  # noqa: TRY400 - the message says it all
            return await self._write(Outcome(RenderStatus.failed, error=internal(str(error))))
        await self._settle(stored)
        shown = RenderCost(usd_estimate=cost.usd_estimate, basis=cost.basis)
        return await self._write(
            Outcome(RenderStatus.succeeded, report=end.report, stored=stored, cost=shown, cache=self._cache)
        )

    async def _settle(self, stored: StoredResult) -> None:
        """Wait until the files are where they stay, so that clients are told of that place.

        They are safe already, so an attempt that is stopped does not wait.
        """
        if self._is_stopped():
            return
        self._settling = asyncio.create_task(self._storage.settle(stored))
        await asyncio.wait({self._settling})
        if not self._settling.cancelled() and (fault := self._settling.exception()) is not None:
            logger.error("the video was stored, but not where it belongs", exc_info=fault)

    async def _write(self, outcome: Outcome) -> bool:
        """Write the end to the table, with patience: a disk that was full has room again a moment later."""
        progress = RenderProgress.complete(outcome.report) if outcome.report else self._channel.progress
        outcome = replace(outcome, progress=progress)
        for pause in (*WRITE_PAUSES, None):
            try:
                written = await self._store.finish(self._claim.id, self._claim.attempt, outcome)
                break
            except DatabaseError as error:
                logger.error("the end of the render was not written: %s", error)  # noqa: TRY400
                if pause is None:
                    # The row still says running: when the lease has run out, somebody tries the render again.
                    self._channel.lost = internal(f"the end of the render could not be recorded: {error}")
                    written = False
                else:
                    await asyncio.sleep(pause)
        if not written and outcome.stored is not None:
            await self._storage.delete(self._claim.place, outcome.stored)
        return written or self._channel.lost is not None or await self._yield()
