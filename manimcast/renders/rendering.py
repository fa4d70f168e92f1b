"""What an attempt gets its files by: the executor, or what is kept of an earlier render for the same request.

Whichever it is, the messages are the same, and so is what listeners hear.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

from manimcast.assets import AssetGoneError, Assets
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import Executor, ExecutorError
from manimcast.executors.segments import Reuse
from manimcast.renders.flights import from_another
from manimcast.renders.kept import KeptResult, KeptResults, Plays
from manimcast.renders.model import CacheMode, RenderCache
from manimcast.renders.outcomes import internal
from manimcast.renders.reporter import Reporter
from manimcast.renders.rows import Claim
from manimcast.spec import ErrorCode, SceneError
from manimcast.storage import StorageError
from manimcast.wire import Failed, Finished, Terminal

logger = logging.getLogger(__name__)


class Rendering:
    """Brings the files of ``claim`` into the folder ``work``, and tells ``reporter`` what happens meanwhile.

    ``kept`` is the result of an earlier render for the same request, its files being in ``work``, if that is known
    already. ``shares_segments`` tells whether renders of this tenant may have segments of each other.

    Attributes
    ----------
    cache
        What of it was taken from a cache, if all of it was.
    answers
        The key under which the video may answer for the same request again, and what is to be said of it then.
    """

    def __init__(
        self,
        claim: Claim,
        executor: Executor,
        reporter: Reporter,
        *,
        results: KeptResults,
        assets: Assets,
        work: Path,
        timeout: float,
        kept: KeptResult | None,
        shares_segments: bool,
    ) -> None:
        self._claim = claim
        self._executor = executor
        self._reporter = reporter
        self._results = results
        self._assets = assets
        self._work = work
        self._timeout = timeout
        self._kept = kept
        self._reuse: Reuse | None = None
        if shares_segments and claim.cache is not CacheMode.off:
            self._reuse = Reuse(claim.tenant, look=claim.cache is CacheMode.use)
        self.cache: RenderCache | None = None
        self.answers: tuple[str, KeptResult] | None = None
        self._stopped = False
        self._task: asyncio.Task[Terminal] | None = None

    def stop(self) -> None:
        """End it early. Returns at once; :meth:`run` returns when nothing of it runs any more."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    def _is_stopped(self) -> bool:
        return self._stopped

    async def run(self) -> Terminal | ExecutorError | None:
        """Return how the executor ended; None when it was stopped before it had an end to tell."""
        try:
            await asyncio.to_thread(self._work.mkdir, parents=True, exist_ok=self._kept is not None)
        except OSError as error:
            return Failed(error=internal(f"the working folder of the render could not be made: {error.strerror}"))
        if self._is_stopped():
            return None
        self._task = asyncio.create_task(self._consume())
        writer = asyncio.create_task(self._reporter.run())
        try:
            done, _ = await asyncio.wait({self._task}, timeout=self._timeout + self._executor.overtime)
            if not done:
                self._task.cancel()
                await asyncio.wait({self._task})
                return ExecutorError(f"did not keep to the timeout of {self._timeout:g} s")
        finally:
            writer.cancel()
            await asyncio.wait({writer})
        if self._task.cancelled():
            return None if self._is_stopped() else ExecutorError("gave up the render")
        fault = self._task.exception()
        if fault is None:
            return self._task.result()
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
        try:
            async with self._assets.opened(self._claim.tenant, self._claim.spec.assets) as attached:
                return await self._drawn(attached)
        except AssetGoneError as gone:
            return Failed(error=SceneError(code=ErrorCode.asset_missing, message=str(gone)))
        except StorageError as error:
            return Failed(error=internal(f"the assets of the render cannot be read: {error}"))

    async def _drawn(self, attached: Sequence[Attachment]) -> Terminal:
        plays = Plays()
        stream = self._executor.render(
            self._claim.spec,
            render_id=self._claim.id,
            into=self._work,
            timeout=self._timeout,
            reuse=self._reuse,
            attached=attached,
        )
        async with contextlib.aclosing(stream):
            async for message in stream:
                if isinstance(message, Finished):
                    await self._remember(message, plays)
                if isinstance(message, Terminal):
                    return message
                plays.hear(message)
                self._reporter.hear(message)
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
            self._reporter.hear(message)
        self.cache = from_another(kept.report)
        self._answer_again(kept)
        return Finished(report=kept.again)

    def _answer_again(self, kept: KeptResult) -> None:
        """Let the video answer for the same request again."""
        self.answers = self._results.key(self._claim.spec, self._claim.tenant, kept.report.fingerprint), kept

    async def _remember(self, end: Finished, plays: Plays) -> None:
        """Keep the result for the same request again."""
        if self._claim.cache is CacheMode.off:
            return
        if await self._results.keep(self._claim.spec, end.report, self._work, tenant=self._claim.tenant, plays=plays):
            self._answer_again(KeptResult(report=end.report, plays=plays.noted()))
