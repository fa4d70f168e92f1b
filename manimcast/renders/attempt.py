"""One try at a render on one executor: from its claim to the row that says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from manimcast.assets import Assets
from manimcast.database import DatabaseError
from manimcast.executors import policy
from manimcast.executors.base import Executor, ExecutorError
from manimcast.renders.flights import retold
from manimcast.renders.kept import KeptResult, KeptResults
from manimcast.renders.model import CacheMode, RenderCost, RenderProgress, RenderStatus
from manimcast.renders.outcomes import executor_at_fault, given_up, internal, shown_again
from manimcast.renders.rendering import Rendering
from manimcast.renders.reporter import Reporter
from manimcast.renders.rows import Claim, Outcome
from manimcast.renders.store import RenderStore
from manimcast.renders.strays import Strays
from manimcast.spec import ErrorCode
from manimcast.storage import Storage, StorageError, StoredResult
from manimcast.wire import Failed, Finished, Terminal

WRITE_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between tries at writing a render's end to the table; the last of them again and again."""

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
        work: Path,
        timeout: float,
        kept: KeptResult | None = None,
        shares_segments: bool = True,
        assets: Assets,
    ) -> None:
        self._claim = claim
        self._executor = executor
        self._choose = choose
        self._store = store
        self._storage = storage
        self._strays = Strays(store, storage)
        self._work = work
        self._results = results
        self._kept = kept
        self._reporter = Reporter(claim, store.events)
        self._rendering = Rendering(
            claim,
            executor,
            self._reporter,
            results=results,
            assets=assets,
            work=work,
            timeout=timeout,
            kept=kept,
            shares_segments=shares_segments,
        )
        self._began = time.monotonic()
        self._stopped: Stop | None = None
        self._stopping = asyncio.Event()
        self._settling: asyncio.Task[StoredResult] | None = None

    @property
    def number(self) -> int:
        """Which of the render's attempts it is."""
        return self._claim.attempt

    def stop(self, why: Stop) -> None:
        """End the attempt early. Returns at once; :meth:`run` returns when nothing of it runs any more."""
        if self._stopped is None:
            self._stopped = why
            self._stopping.set()
            self._rendering.stop()
            if self._settling is not None:
                self._settling.cancel()

    async def run(self) -> None:
        """Carry the attempt through: to the render's end, or to where it waits for another attempt."""
        # The render may have been canceled between its claim and now; from here on, stop() is what ends it.
        is_settled = False
        try:
            if await self._store.claims.holds(self._claim.id, self._claim.attempt):
                is_settled = await self._share() or await self._conclude(await self._rendering.run())
        finally:
            await self._clean()
        if not is_settled:
            await self._release()

    async def _clean(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._work, ignore_errors=True)

    async def _share(self) -> bool:
        """End with the video of an earlier render for the same request, if there is one by now; tell whether."""
        versions = self._executor.versions()
        if self._kept is not None or self._claim.cache is not CacheMode.use or not self._results.on or not versions:
            return False
        key = self._results.key(self._claim.spec, self._claim.tenant, versions)
        outcome = await shown_again(self._store.videos, self._storage, key)
        if outcome is None:
            return False
        return await self._store.endings.finish(self._claim.id, self._claim.attempt, outcome, retold(outcome))

    async def _conclude(self, end: Terminal | ExecutorError | None) -> bool:
        """Write what follows from how the executor ended; tell whether the render's row says so."""
        match end:
            case _ if self._stopped is Stop.lost:
                return True  # somebody else has it now, or it waits again
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
                await self._write_last_words()
                return await self._store.claims.put_back(self._claim.id, self._claim.attempt)
            case _:
                return False  # canceled: the row has said so since before the executor was stopped

    async def _release(self) -> None:
        """Let go of a render that is not this attempt's any more.

        Those who canceled it, wherever they are, learn that nothing of it runs any more.
        """
        try:
            await self._store.leases.release(self._claim.id, self._claim.attempt)
        except DatabaseError as error:
            logger.warning("the render was not let go: %s", error)
        self._store.events.tell(self._claim.id)

    async def _write_last_words(self) -> None:
        """Write what is left of what the attempt said, as another one is to follow."""
        try:
            await self._reporter.write()
        except DatabaseError as error:
            logger.warning("what the attempt said last was not written: %s", error)

    async def _pass_on(self, error: ExecutorError) -> bool:
        """Queue the render for its next attempt, here or elsewhere, or end it when there is none left."""
        faults = policy.failed(self._claim.faults, self._executor.name, error)
        name = self._executor.name
        headline = error.headline or f"{name.capitalize()} failed: {error}".rstrip(".")
        choice = self._choose(self._claim.requested, faults)
        if not isinstance(choice, policy.Use):
            logger.error("%s. Nothing is left to render it.", headline)
            return await self._write(given_up(choice.reason))
        await self._write_last_words()
        if not await self._store.claims.put_back(self._claim.id, self._claim.attempt, faults=faults):
            return False
        then = "Trying again" if choice.executor == name else f"Falling back to {choice.executor} rendering"
        logger.warning("%s. %s.", headline, then)
        return True

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
        stored = await self._settle(stored)
        shown = RenderCost(usd_estimate=cost.usd_estimate, basis=cost.basis)
        key, kept = self._rendering.answers or (None, None)
        return await self._write(
            Outcome(
                RenderStatus.succeeded,
                report=end.report,
                stored=stored,
                cost=shown,
                cache=self._rendering.cache,
                key=key,
                kept=kept,
            )
        )

    async def _settle(self, stored: StoredResult) -> StoredResult:
        """Wait until the files are where they stay, so that clients are told of that place; return what is, then.

        They are safe already, so an attempt that is stopped does not wait.
        """
        if self._stopped is not None:
            return stored
        self._settling = asyncio.create_task(self._storage.settle(stored))
        await asyncio.wait({self._settling})
        if self._settling.cancelled():
            return stored
        if (fault := self._settling.exception()) is not None:
            logger.error("the video was stored, but not where it belongs", exc_info=fault)
            return stored
        return self._settling.result()

    async def _write(self, outcome: Outcome) -> bool:
        """Write the end to the table, with patience: a disk that was full has room again after a while.

        Until then nothing is known of the end, and nothing else can be begun either. A service that is to stop
        gives up: its successor finds the row as it is, and tries the render again.
        """
        progress = RenderProgress.complete(outcome.report) if outcome.report else self._reporter.progress
        outcome = replace(outcome, progress=progress)
        said = self._reporter.last_words(progress)
        await self._clean()  # whoever hears of the end finds nothing left of the render
        written: bool | None = None
        for tries in itertools.count(1):
            try:
                written = await self._store.endings.finish(self._claim.id, self._claim.attempt, outcome, said)
                break
            except DatabaseError as error:
                logger.error("the end of the render was not written: %s", error)  # noqa: TRY400
                if self._stopped is not None and tries > len(WRITE_PAUSES):
                    break
                await self._pause(WRITE_PAUSES[min(tries, len(WRITE_PAUSES)) - 1])
        if outcome.stored is not None and written:
            await self._storage.confirm(self._claim.place, outcome.stored)
        elif outcome.stored is not None and written is False:
            # Refused; or a try before was committed, although it seemed to fail. When it was given up, the sweep
            # of the next start looks.
            written = await self._strays.refused(self._claim.place, outcome.stored)
        return written is not False

    async def _pause(self, seconds: float) -> None:
        """Wait before another try; not for long once the attempt is stopped, as the next try may then be refused."""
        if self._stopped is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)
        else:
            await asyncio.sleep(seconds)
