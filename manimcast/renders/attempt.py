"""One try at a render: from its claim to the row that says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from manimcast.executors.base import Executor, ExecutorError
from manimcast.renders.errors import StoreError
from manimcast.renders.live import Channel
from manimcast.renders.model import RenderProgress, RenderStatus
from manimcast.renders.rows import Claim, Outcome
from manimcast.renders.store import MAX_FAILURES, RenderStore
from manimcast.spec import ErrorCode, SceneError
from manimcast.storage import LocalStorage, StorageError
from manimcast.wire import Failed, Finished, Message, Progressed, Terminal

PROGRESS_INTERVAL = 0.5
"""Seconds between two writes of a render's progress to the table."""
OVERTIME = 60.0
"""Seconds past a render's timeout after which its executor counts as stuck."""
WRITE_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between tries at writing a render's end to the table."""

logger = logging.getLogger(__name__)


class Stop(Enum):
    """Why an attempt is ended early."""

    canceled = auto()
    shutdown = auto()


class Attempt:
    """Runs one claimed render on one executor and sees to everything that follows from how it ends."""

    def __init__(
        self,
        claim: Claim,
        executor: Executor,
        *,
        store: RenderStore,
        storage: LocalStorage,
        channel: Channel,
        work: Path,
        timeout: float,
    ) -> None:
        self._claim = claim
        self._executor = executor
        self._store = store
        self._storage = storage
        self._channel = channel
        self._work = work
        self._timeout = timeout
        self._began = time.monotonic()
        self._stopped: Stop | None = None
        self._rendering: asyncio.Task[Terminal] | None = None
        self._progressed = asyncio.Event()

    def stop(self, why: Stop) -> None:
        """End the attempt early. Returns at once; :meth:`run` returns when nothing of it runs any more."""
        if self._stopped is None:
            self._stopped = why
            if self._rendering is not None:
                self._rendering.cancel()

    def _is_stopped(self) -> bool:
        return self._stopped is not None

    async def run(self) -> bool:
        """Carry the attempt through; tell whether the render has ended (else it waits for another attempt)."""
        self._channel.restart()
        # The render may have been canceled between its claim and now; from here on, stop() is what ends it.
        if not await self._store.assign(self._claim.id, self._claim.attempt, self._executor.name):
            return True
        try:
            return await self._conclude(await self._render())
        finally:
            await asyncio.to_thread(shutil.rmtree, self._work, ignore_errors=True)

    async def _render(self) -> Terminal | ExecutorError | None:
        """Return how the executor ended; None when it was stopped before it had an end to tell."""
        try:
            await asyncio.to_thread(self._work.mkdir, parents=True)
        except OSError as error:
            return Failed(error=_internal(f"the working folder of the render could not be made: {error.strerror}"))
        if self._is_stopped():
            return None
        self._rendering = asyncio.create_task(self._consume())
        writer = asyncio.create_task(self._write_progress())
        try:
            done, _ = await asyncio.wait({self._rendering}, timeout=self._timeout + OVERTIME)
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
        logger.warning("render %s: %s failed: %s", self._claim.id, self._executor.name, fault, exc_info=fault)
        return fault if isinstance(fault, ExecutorError) else ExecutorError(f"{type(fault).__name__}: {fault}")

    async def _consume(self) -> Terminal:
        stream = self._executor.render(
            self._claim.spec, render_id=self._claim.id, into=self._work, timeout=self._timeout
        )
        async with contextlib.aclosing(stream):
            async for message in stream:
                if isinstance(message, Terminal):
                    return message
                self._tell(message)
        raise ExecutorError("ended without saying how")

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
                except StoreError as error:
                    logger.warning("render %s: its progress was not written: %s", self._claim.id, error)
            await asyncio.sleep(PROGRESS_INTERVAL)

    async def _conclude(self, end: Terminal | ExecutorError | None) -> bool:
        match end:
            case Finished():
                return await self._keep(end)
            case Failed(error=error) if self._stopped is not Stop.shutdown:
                status = RenderStatus.canceled if error.code is ErrorCode.canceled else RenderStatus.failed
                return await self._write(Outcome(status, error=error))
            case ExecutorError():
                if await self._store.put_back(self._claim.id, self._claim.attempt, failed=True):
                    return False
                return await self._write(lost(f"{self._executor.name}: {end}"))
            case _ if self._stopped is Stop.shutdown:
                return not await self._store.put_back(self._claim.id, self._claim.attempt, failed=False)
            case _:
                return True  # canceled: the row has said so since before the executor was stopped

    async def _keep(self, end: Finished) -> bool:
        """Move the files into the storage, then say so; if nobody wants them any more, remove them again."""
        try:
            stored = await self._storage.put(self._claim.id, self._work, end.report)
        except StorageError as error:
            logger.error("render %s: %s", self._claim.id, error)  # noqa: TRY400 - the message says it all
            return await self._write(Outcome(RenderStatus.failed, error=_internal(str(error))))
        return await self._write(Outcome(RenderStatus.succeeded, report=end.report, stored=stored))

    async def _write(self, outcome: Outcome) -> bool:
        """Write the end to the table, with patience: a disk that was full has room again a moment later."""
        progress = RenderProgress.complete(outcome.report) if outcome.report else self._channel.progress
        outcome = replace(outcome, progress=progress)
        for pause in (*WRITE_PAUSES, None):
            try:
                written = await self._store.finish(self._claim.id, self._claim.attempt, outcome)
                break
            except StoreError as error:
                logger.error("render %s: its end was not written: %s", self._claim.id, error)  # noqa: TRY400
                if pause is None:
                    # The row still says running, so the next start of the service tries the render again.
                    self._channel.lost = _internal(f"the end of the render could not be recorded: {error}")
                    written = False
                else:
                    await asyncio.sleep(pause)
        if not written and outcome.stored is not None:
            await self._storage.delete(self._claim.id)
        return True


def lost(reason: str) -> Outcome:
    """Return the end of a render that was tried as often as one may be."""
    return Outcome(RenderStatus.failed, error=_internal(f"the render was lost {MAX_FAILURES} times; last: {reason}"))


def _internal(message: str) -> SceneError:
    return SceneError(code=ErrorCode.internal, message=message[:4000])
