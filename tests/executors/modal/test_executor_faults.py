"""Whatever fails in the middle of a call: whose fault it is, whether Modal is tried again, and that the call ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manimcast import wire
from tests.clock import pass_time
from tests.executors.modal.stage import LONG, STREAM, Stage, a_video, deploy, waiting
from tests.executors.modal.test_executor import play
from tests.modal_plane import faults
from tests.modal_plane.faults import AnyFault
from tests.modal_plane.running import RunningPlane
from tests.patience import eventually


@pytest.fixture(autouse=True, scope="module")
def _app(module_plane: RunningPlane) -> Iterator[None]:
    """Have the scripted app deployed, and the client of this process led to the control plane."""
    deploy(module_plane)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in module_plane.environment.items():
            if "TOKEN" not in name:
                patch.setenv(name, value)
        yield


FAULTS: list[tuple[AnyFault, str, bool]] = [
    # fault, what is told, again on Modal?
    (faults.Kill(after=3), "the container was lost (", True),
    (faults.Terminate(after=3), "the call failed on Modal (", True),
    (faults.Preempt(after=3), "the container was preempted, and the call began again", True),
    (faults.Preempt(after=3, indices="go_on"), "the container was preempted, and the call began again", True),
    (faults.Preempt(after=3, gently=True), "the container was preempted, and the call began again", True),
    (faults.DuplicateChunks(after=0), "the container began twice", True),
    (faults.DuplicateChunks(after=3), "something that the container sent was lost", True),
    (faults.MalformedChunk(after=3), "a container sent malformed data: ", True),
    (faults.MalformedChunk(after=3, hex="80"), "the container sent what is not understood: ", True),
    (faults.MalformedChunk(after=3, hex="f6"), "the container sent what is not understood: ", True),
    (faults.MalformedChunk(after=3, hex="d8236528612b292b"), "a container sent malformed data: ", True),
    (faults.OversizedChunk(after=3, size=3 * 1024 * 1024), "a container sent ", True),
    (faults.CrashAtStart(), "the call failed on Modal (", True),
    (faults.Exhausted(), "a limit of the Modal account is reached (", False),
    (faults.Refuse(after=3), "the connection to Modal broke (", False),
]
HARMLESS: list[AnyFault] = [
    faults.DuplicateChunks(indices="same"),
    faults.Drop(after=3),
    faults.HoldStart(seconds=0.1),
    faults.Kill(after=0, then="restart", times=1),
]


def of_the_stream(fault: AnyFault) -> AnyFault:
    """Return the fault so that it leaves the health check alone, which runs beside the first render."""
    return fault.model_copy(update={"function": STREAM}) if isinstance(fault, faults.WorkFault) else fault


def named(value: object) -> str | None:
    """Return a fault's name for the list of tests; what is told stands for itself."""
    return getattr(value, "name", None)


@pytest.mark.parametrize(("fault", "told", "again"), FAULTS, ids=named)
def test_the_machinery_is_at_fault(
    modal_plane: RunningPlane, tmp_path: Path, fault: AnyFault, told: str, again: bool
) -> None:
    script = waiting(tmp_path / "go") + a_video()[5:]
    if not isinstance(fault, faults.Refuse | faults.Exhausted | faults.CrashAtStart):
        (tmp_path / "go").touch()

    async def scene(on: Stage) -> None:
        number = modal_plane.inject(of_the_stream(fault))
        performance = await on.perform(script)
        error = performance.error
        assert error is not None, performance.messages
        assert str(error).startswith(told)
        assert error.again is again
        assert not any(isinstance(message, wire.Terminal) for message in performance.messages)
        assert on.breaker["failures"] == 1
        struck = modal_plane.struck(number)
        assert struck >= 1
        modal_plane.clear()
        await eventually(
            lambda: not any(found.inputs for found in modal_plane.containers(STREAM)), "the end of the call"
        )
        # And all is well again.
        (tmp_path / "go").touch()
        assert isinstance((await on.perform(script)).end, wire.Finished)
        assert on.breaker["failures"] == 0

    play(modal_plane, tmp_path, scene)


@pytest.mark.parametrize("fault", HARMLESS, ids=named)
def test_what_nobody_needs_to_know(modal_plane: RunningPlane, tmp_path: Path, fault: AnyFault) -> None:
    async def scene(on: Stage) -> None:
        number = modal_plane.inject(of_the_stream(fault))
        performance = await on.perform(a_video())
        assert isinstance(performance.end, wire.Finished)
        assert modal_plane.struck(number) >= 1
        assert on.breaker["failures"] == 0

    play(modal_plane, tmp_path, scene)


@pytest.mark.parametrize("kind", [faults.PickledChunk, faults.PickledException])
@pytest.mark.parametrize("after", [0, 3])
def test_pickles(modal_plane: RunningPlane, tmp_path: Path, kind: Any, after: int) -> None:
    async def scene(on: Stage) -> None:
        number = modal_plane.inject(kind(function=STREAM, after=after, path=str(tmp_path / "made"), times=1))
        error = (await on.perform(a_video())).error
        assert error is not None
        assert error.again
        assert modal_plane.struck(number) == 1

    play(modal_plane, tmp_path, scene)
    assert not (tmp_path / "made").exists()


def test_a_container_that_is_killed_from_outside(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """Modal begins the call anew by itself; what comes of that is not mixed with what came before."""

    async def scene(on: Stage) -> None:
        work = asyncio.create_task(on.perform(waiting(tmp_path / "go")))
        await eventually(on.pids, "a container at work")
        (pid,) = await on.pids()

        async def has_begun() -> bool:
            return (await on.calls())[-1].chunks >= 5

        await eventually(has_begun, "the first items")
        os.kill(pid, signal.SIGKILL)
        (tmp_path / "go").touch()
        error = (await work).error
        assert error is not None
        assert error.again

    play(modal_plane, tmp_path, scene)


def test_what_a_render_has_found_out_is_not_probed(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """One that was under way when the breaker opened succeeds and closes it; then no probe holds renders up."""

    async def scene(on: Stage) -> None:
        work = asyncio.create_task(on.perform(waiting(tmp_path / "go") + a_video()[5:]))
        await eventually(on.pids, "a container at work")
        modal_plane.inject(faults.Exhausted())
        assert (await on.perform(a_video())).error is not None
        assert on.breaker["state"] == "open"
        assert on.breaker["next_probe_in"] > 0
        modal_plane.clear()
        (tmp_path / "go").touch()
        assert isinstance((await work).end, wire.Finished)
        assert on.breaker["state"] == "closed"
        number = modal_plane.inject(faults.NotDeployed())  # a probe would meet it
        assert on.executor._changed.is_set()  # until whoever would probe has looked what has become of the breaker
        pass_time(LONG)
        await eventually(lambda: not on.executor._changed.is_set(), "the time of the probe")
        assert modal_plane.struck(number) == 0
        assert on.breaker["state"] == "closed"

    play(modal_plane, tmp_path, scene, modal_breaker_failures=1, modal_breaker_pause=LONG)
