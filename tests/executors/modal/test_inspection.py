"""Dry runs in a container, with the app as it is: the answer of this machine, at Modal's price, and nothing left."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from manimcast.executors.local import LocalExecutor
from manimcast.executors.modal.executor import ModalExecutor
from manimcast.inspection import Inspection
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, RenderSpec, SceneError
from tests.assets.samples import attachments, use_of
from tests.executors.modal.deployed import STREAM, app, busy, family, started
from tests.executors.rig import RING, SMALL, scene
from tests.modal_plane import faults
from tests.modal_plane.running import RunningPlane, alive
from tests.patience import PATIENCE, eventually

__all__ = ["app"]

PLAYS = f"""
self.next_section('first')
{RING}
self.wait(PARAMS['pause'])
print(open('notes.txt').read())
import helper
self.add(MathTex('x^2').shift(20 * RIGHT))
self.play(helper.spin(), subcaption='round', run_time=0.2)
self.renderer.get_frame()
"""
FILES = {"helper.py": "from manim import *\ndef spin():\n    return Rotate(Square())\n"}
NOTES = {"notes.txt": b"notes"}


async def inspected(executor: ModalExecutor | LocalExecutor, code: str, **more: Any) -> Inspection:
    timeout = more.pop("timeout", PATIENCE)
    spec = RenderSpec(code=code, **(SMALL | more))
    with attachments(NOTES if spec.assets else {}) as attached:
        return await executor.inspect(spec, timeout=timeout, attached=attached)


def comparable(inspection: Inspection) -> dict[str, Any]:
    """Return all of it that does not depend on the time that something took."""
    told = inspection.model_dump(mode="json")
    for report in told["reports"]:
        report["has_estimate"] = report.pop("estimate") is not None
        del report["seconds"]
    return told


def test_it_tells_what_it_tells_here(modal_plane: RunningPlane, tmp_path: Path) -> None:
    code = (
        scene(PLAYS) + "\n\nclass Wrong(Scene):\n    def construct(self):\n        self.wait(0.2)\n        Circel()\n"
    )
    more = {"params": {"pause": 0.4}, "files": FILES, "assets": [use_of(name, NOTES[name]) for name in NOTES]}
    local = LocalExecutor(Settings(_env_file=None, data_dir=tmp_path, render_memory=1024))

    async def both() -> tuple[Inspection, Inspection, float]:
        async with started(modal_plane) as executor:
            there = await inspected(executor, code, **more)
            assert executor.status().details["breaker"]["failures"] == 0
            assert executor.status().details["modal_health"]["manim_version"] == "0.22.0"
            estimate = there.reports[0].estimate
            assert estimate is not None
            cost = executor.rate.estimate(estimate.seconds)
            assert (estimate.usd_estimate, estimate.basis) == (cost.usd_estimate, cost.basis)
            assert "without the container's start" in estimate.basis
        await local.start()
        try:
            return there, await inspected(local, code, **more), estimate.seconds
        finally:
            await local.stop()

    there, here, seconds = asyncio.run(both())
    assert comparable(there) == comparable(here)
    demo, wrong = there.reports
    assert [play.kind for play in demo.plays] == ["Create", "Wait", "Rotate"]
    assert {warning.code for warning in demo.warnings} == {"off_screen", "reads_pixels"}
    assert (demo.duration, demo.subcaptions[0].text, demo.sections[0].name) == (0.9, "round", "first")
    assert wrong.error is not None
    assert (wrong.error.line, wrong.error.hint, wrong.frames) == (18, "Did you mean Circle?", 2)
    assert there.first_error == wrong.error
    assert seconds > 0
    call = [call for call in modal_plane.report().calls if call.function == STREAM][-1]
    assert not call.canceled


def test_code_that_cannot_be_loaded(modal_plane: RunningPlane) -> None:
    async def run() -> Inspection:
        async with started(modal_plane) as executor:
            return await inspected(executor, "class A(Scene)\n    pass")

    inspection = asyncio.run(run())
    assert inspection.error is not None
    assert (inspection.reports, inspection.error.exception, inspection.error.line) == ((), "SyntaxError", 1)


def test_what_takes_too_long(modal_plane: RunningPlane) -> None:
    async def run() -> Inspection:
        async with started(modal_plane) as executor:
            return await inspected(executor, scene(f"{RING}\nwhile True: pass"), timeout=3)

    error = asyncio.run(run()).first_error
    assert error is not None
    assert (error.code, error.message) == (ErrorCode.timeout, "The dry run took longer than 3 seconds.")


def test_when_it_is_canceled_nothing_runs_on(modal_plane: RunningPlane) -> None:
    async def run() -> None:
        async with started(modal_plane) as executor:
            before = len(modal_plane.report().calls)
            running = asyncio.ensure_future(inspected(executor, scene("while True: pass")))
            await eventually(lambda: busy(modal_plane), "the beginning of the container")
            (pid,) = busy(modal_plane)
            await eventually(lambda: len(family(pid)) >= 3, "the beginning of the scene")
            processes = family(pid)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await eventually(lambda: not any(map(alive, processes)), "the end of every process of the container")
            assert [call.canceled for call in modal_plane.report().calls[before:] if call.function == STREAM] == [True]

    asyncio.run(run())


def test_a_container_that_modal_ends_for_its_memory_is_the_scenes(modal_plane: RunningPlane) -> None:
    async def run() -> SceneError | None:
        async with started(modal_plane) as executor:
            modal_plane.inject(faults.OutOfMemory(function=STREAM, after=1))
            error = (await inspected(executor, scene("while True: pass"))).error
            assert executor.status().details["breaker"]["failures"] == 0
            return error

    error = asyncio.run(run())
    assert error is not None
    assert error.code is ErrorCode.out_of_memory
