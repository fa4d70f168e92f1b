"""The test render of `manimcast doctor`: a small scene through the real executor, from a cold start."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

from manimcast.cli.checks import Finding, State
from manimcast.cli.outcome import gist
from manimcast.executors.base import Executor, ExecutorError
from manimcast.settings import Settings
from manimcast.spec import Quality, RenderReport, RenderSpec
from manimcast.wire import Failed, Finished

NAME = "Test render"

SCENE = """
class Doctor(Scene):
    def construct(self):
        self.play(Create(Circle()), Write(Text("manimcast")))
"""

TIMEOUT = 120.0


def render(settings: Settings) -> Finding:
    """Render a second of video, and tell how long it took with the start of the engine and without."""
    try:
        from manimcast.executors.local import LocalExecutor  # noqa: PLC0415  it may not be installed
    except ImportError as error:
        return Finding(NAME, State.missing, f"the local executor is not installed: {error}")
    logging.getLogger("manimcast").addHandler(logging.NullHandler())  # what matters arrives as an ExecutorError
    with tempfile.TemporaryDirectory(prefix="manimcast-", ignore_cleanup_errors=True) as scratch:
        settings = settings.model_copy(update={"data_dir": Path(scratch) / "data"})
        try:
            cold, warm, report = asyncio.run(_measure(LocalExecutor(settings), Path(scratch)))
        except (ExecutorError, _TrialError) as error:
            return Finding(NAME, State.missing, gist(str(error)))
    video = f"{report.duration:g} s of video in {report.height}p"
    detail = f"{video} in {warm:.2f} s; the first one, with the start of the engine, in {cold:.2f} s"
    return Finding(NAME, State.ok, detail)


class _TrialError(Exception):
    """The scene, which is known to be good, did not become a video."""


async def _measure(executor: Executor, scratch: Path) -> tuple[float, float, RenderReport]:
    """Render twice; return the seconds of the first one, with the start of the engine, of the second, its report."""
    first, second = scratch / "first", scratch / "second"
    first.mkdir()
    second.mkdir()
    began = time.perf_counter()
    await executor.start()
    try:
        await _once(executor, first)
        middle = time.perf_counter()
        report = await _once(executor, second)
        return middle - began, time.perf_counter() - middle, report
    finally:
        await executor.stop()


async def _once(executor: Executor, into: Path) -> RenderReport:
    spec = RenderSpec(code=SCENE, quality=Quality.low_quality)
    messages = executor.render(spec, render_id=f"doctor-{into.name}", into=into, timeout=TIMEOUT)
    async with aclosing(messages):
        async for message in messages:
            if isinstance(message, Failed):
                raise _TrialError(f"the test scene failed: {message.error.message}")
            if isinstance(message, Finished):
                return message.report
    raise _TrialError("the test render ended without a result")
