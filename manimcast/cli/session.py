"""The run of `manimcast render`: an executor started, scenes rendered one after the other, everything ended."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from manimcast.cli import outcome
from manimcast.cli.display import Display
from manimcast.cli.outcome import complain
from manimcast.cli.output import Destination, OutputError
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import Executor, ExecutorError
from manimcast.executors.segments import Reuse
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from manimcast.wire import Finished

TENANT = "cli:"
"""Whose kept segments the command line uses: no name of an API key has a colon."""


class Session:
    """One executor, from its start to its stop, and the renders in between.

    ``attached`` are the assets of each. With ``reuse`` animations of earlier renders that are kept in the data folder
    are not drawn again.
    """

    def __init__(
        self,
        executor: Executor,
        settings: Settings,
        scratch: Path,
        display: Display,
        *,
        reuse: bool = False,
        attached: Sequence[Attachment] = (),
    ) -> None:
        self._executor = executor
        self._settings = settings
        self._scratch = scratch
        self._display = display
        self._reuse = Reuse(TENANT) if reuse else None
        self._attached = attached

    async def run(self, specs: list[RenderSpec], destination: Destination) -> int:
        """Render all of ``specs``, also after one of them failed, and return the exit code."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        terminated = asyncio.Event()

        def on_terminate() -> None:
            terminated.set()
            if task:
                task.cancel()

        loop.add_signal_handler(signal.SIGTERM, on_terminate)
        failures = 0
        try:
            await self._executor.start()
            for spec in specs:
                failures += not await self._render(spec, destination)
        except ExecutorError as error:
            complain(f"rendering is not possible here: {outcome.gist(str(error))}", hint=outcome.DOCTOR)
            return outcome.NO_EXECUTOR
        except asyncio.CancelledError:
            if not terminated.is_set():
                raise  # Ctrl-C: asyncio.run makes a KeyboardInterrupt of it
            complain("terminated; the render was cancelled")
            return outcome.TERMINATED
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            await self._executor.stop()
        if failures and len(specs) > 1:
            complain(f"{failures} of {len(specs)} scenes failed")
        return outcome.SCENE_FAILED if failures else outcome.OK

    async def _render(self, spec: RenderSpec, destination: Destination) -> bool:
        """Render one scene, put its files where they belong, and tell whether that worked."""
        render_id = uuid.uuid4().hex
        into = self._scratch / render_id
        into.mkdir()
        report = None
        with self._display as display:
            status = self._executor.status()
            if not status.available:
                raise ExecutorError(status.reason or "the local executor is not available")
            timeout = spec.timeout or self._settings.render_timeout
            async with aclosing(
                self._executor.render(
                    spec,
                    render_id=render_id,
                    into=into,
                    timeout=timeout,
                    reuse=self._reuse,
                    attached=self._attached,
                )
            ) as messages:
                async for message in messages:
                    display.show(message)
                    if isinstance(message, Finished):
                        report = message.report
        if report is None:
            return False
        try:
            display.saved(report, destination.save(report, into))
        except OutputError as error:
            complain(str(error))
            return False
        return True
