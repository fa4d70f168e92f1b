"""A dry run of posted code: each scene in a child of its own, so that none sees what another leaves behind.

The first child also tells which scenes there are. A scene that reads its own frames ends its child at once, and runs
again in another one, which draws. What a child tells is bounded here as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol, TypeVar, runtime_checkable

from manimcast import wire
from manimcast.executors.attachment import Attachment
from manimcast.executors.base import Executor
from manimcast.executors.estimate import seconds_of
from manimcast.executors.price import Rate
from manimcast.executors.verdict import timed_out
from manimcast.inspection import (
    MAX_LISTED,
    MAX_PLAYS,
    MAX_SCENES,
    MAX_WARNINGS,
    Estimate,
    Inspection,
    Measured,
    Play,
    SceneInspection,
    SceneWarning,
    Subcaption,
)
from manimcast.spec import ErrorCode, RenderSpec, SceneError, Section

Launch = Callable[[wire.InspectJob, float], AsyncGenerator[wire.Message | wire.Inspecting, None]]
"""Runs a job in a child of its own within so many seconds, and yields what it says."""

_T = TypeVar("_T")


@runtime_checkable
class Inspector(Executor, Protocol):
    """An executor that can also run scenes dry.

    Attributes
    ----------
    is_here
        Whether it does so on this machine.
    """

    is_here: bool

    async def inspect(
        self, spec: RenderSpec, *, timeout: float, rate: Rate | None = None, attached: Sequence[Attachment] = ()
    ) -> Inspection:
        """Run the scenes of ``spec`` dry, all together within ``timeout`` seconds; without a scene, all of the code.

        ``rate`` is what the render would cost, by default here; ``attached`` are the assets of ``spec``. Raises
        :class:`~manimcast.executors.base.ExecutorError` when the machinery is at fault. When it is cancelled, nothing
        runs on.
        """


async def inspect_scenes(
    spec: RenderSpec, *, limits: wire.Limits, timeout: float, rate: Rate, launch: Launch
) -> Inspection:
    """Run the scenes of ``spec`` dry, one after the other, and put together what they tell."""
    run = _Runs(limits, asyncio.get_running_loop().time() + timeout, timeout, rate, launch)
    first = await run.of(spec)
    if first.loaded is None:
        return Inspection(error=first.error)
    names = first.loaded.scenes
    reports = [first.report]
    if spec.scene is None:
        for name in names[1:MAX_SCENES]:
            reports.append((await run.of(spec.model_copy(update={"scene": name}))).report)  # noqa: PERF401
    return Inspection(scenes=names, reports=tuple(reports))


class _Told:
    """What one scene's child, or the second one that draws, has told."""

    def __init__(self, scene: str, rate: Rate) -> None:
        self._scene = scene
        self._rate = rate
        self.began = time.monotonic()
        self.loaded: wire.Loaded | None = None
        self.plays: list[Play] = []
        self.sections: list[Section] = []
        self.subcaptions: list[Subcaption] = []
        self.warnings: list[SceneWarning] = []
        self.measured: Measured | None = None
        self.error: SceneError | None = None

    def note(self, note: Play | Section | Subcaption | SceneWarning) -> None:
        """Keep ``note``, unless there are too many."""
        match note:
            case Play():
                _keep(self.plays, note, MAX_PLAYS)
            case Section():
                _keep(self.sections, note, MAX_LISTED)
            case Subcaption():
                _keep(self.subcaptions, note, MAX_LISTED)
            case SceneWarning():
                _keep(self.warnings, note, MAX_WARNINGS)

    @property
    def report(self) -> SceneInspection:
        """All of it."""
        fields: dict[str, Any] = {"scene": self._scene}
        if self.loaded is not None:
            known = self.loaded
            fields = {
                "scene": known.scene,
                "width": known.width,
                "height": known.height,
                "frame_rate": known.frame_rate,
            }
        measured = self.measured or self._before_the_end()
        return SceneInspection(
            **fields,
            **measured.model_dump(include={"frames", "duration", "animations", "sounds"}),
            plays=tuple(self.plays),
            sections=tuple(self.sections),
            subcaptions=tuple(self.subcaptions),
            warnings=tuple(self.warnings),
            estimate=self._estimate(measured),
            error=self.error or measured.error,
            seconds=round(time.monotonic() - self.began, 3),
        )

    def _before_the_end(self) -> Measured:
        """What is known of a scene whose process did not live to say it."""
        if not self.plays:
            return Measured(frames=0, duration=0, animations=0)
        last = self.plays[-1]
        return Measured(
            frames=min(sum(play.frames for play in self.plays), 10**9),
            duration=min(last.start + last.duration, 10.0**9),
            animations=len(self.plays),
        )

    def _estimate(self, measured: Measured) -> Estimate | None:
        if self.loaded is None or self.error is not None or measured.error is not None:
            return None
        seconds = min(seconds_of(measured.work, self.loaded.width * self.loaded.height), 10.0**9)
        cost = self._rate.estimate(seconds)
        return Estimate(seconds=seconds, usd_estimate=cost.usd_estimate, basis=cost.basis)


class _Runs:
    """The children of one dry run, before its deadline."""

    def __init__(self, limits: wire.Limits, deadline: float, timeout: float, rate: Rate, launch: Launch) -> None:
        self._limits = limits
        self._deadline = deadline
        self._timeout = timeout
        self._rate = rate
        self._launch = launch

    async def of(self, spec: RenderSpec) -> _Told:
        """Run one scene."""
        for draws in (False, True):
            told = await self._run(wire.InspectJob(spec=spec, limits=self._limits, draws=draws))
            if told is not None:
                return told
        raise AssertionError("what is drawn can be read")

    async def _run(self, job: wire.InspectJob) -> _Told | None:
        """Return what a child tells; None when it wants to read a frame."""
        told = _Told(job.spec.scene or "", self._rate)
        left = self._deadline - asyncio.get_running_loop().time()
        if left <= 0:
            told.error = _as_inspection(timed_out(self._timeout).error, self._timeout)
            return told
        async with aclosing(self._launch(job, left)) as messages:
            async for message in messages:
                match message:
                    case wire.Hello():
                        told.began = time.monotonic()  # a warm process may have had to start before
                    case wire.Loaded():
                        told.loaded = message
                    case wire.Noted(note=note):
                        told.note(note)
                    case wire.Inspected(measured=None):
                        if not job.draws:
                            return None
                        told.error = SceneError(code=ErrorCode.internal, message="The scene could not be drawn.")
                    case wire.Inspected(measured=measured):
                        told.measured = measured
                    case wire.Failed(error=error):
                        told.error = _as_inspection(error, self._timeout)
                    case _:
                        pass
        return told


def _as_inspection(error: SceneError, timeout: float) -> SceneError:
    """Say of a time-out how long all scenes together may take."""
    if error.code is not ErrorCode.timeout or "CPU" in error.message:
        return error
    return error.model_copy(update={"message": f"The dry run took longer than {timeout:g} seconds."})


def _keep(listed: list[_T], one: _T, most: int) -> None:
    if len(listed) < most:
        listed.append(one)
