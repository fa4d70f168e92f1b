"""The executor by itself, with the real client and a control plane: what it says, what it leaves, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from manimcast import wire
from manimcast.executors.modal import connection
from manimcast.executors.modal.calls import SLOWEST_UPLOAD
from manimcast.executors.modal.faults import UnavailableError
from manimcast.executors.modal.protocol import HEALTH, PROTOCOL
from manimcast.spec import ErrorCode, RenderSpec, SceneError
from tests import clock
from tests.assets.samples import attachments, use_of
from tests.clock import expiring, pass_time
from tests.executors.modal.conversation import Talk
from tests.executors.modal.stage import LONG, STREAM, Stage, a_video, deploy, stage, steps, stop, waiting
from tests.modal_plane import faults
from tests.modal_plane.running import RunningPlane, alive, nobody_listens, plane
from tests.patience import PATIENCE, eventually

NOT_DEPLOYED = "the app scripted is not deployed; run manimcast deploy"


@pytest.fixture(scope="module")
def module_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlane]:
    with plane(tmp_path_factory.mktemp("plane")) as running, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MODAL_")]:
            patch.delenv(name)
        for name, value in running.environment.items():
            if "TOKEN" not in name:
                patch.setenv(name, value)
        deploy(running)
        yield running


@pytest.fixture
def modal_plane(module_plane: RunningPlane) -> Iterator[RunningPlane]:
    module_plane.clear()
    yield module_plane
    module_plane.clear()
    module_plane.cancel()
    report = module_plane.report()
    assert report.errors == []
    assert report.unimplemented == {}


def play(plane: RunningPlane, folder: Path, scene: Callable[[Stage], Any], **settings: Any) -> None:
    """Run ``scene`` with an executor."""

    async def played() -> None:
        async with stage(plane, folder, **settings) as set_up:
            await scene(set_up)

    clock.run(played())


def test_a_render_that_succeeds(modal_plane: RunningPlane, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "manimcast.executors.modal")

    async def scene(on: Stage) -> None:
        assert on.executor.status().available
        before = len(await on.calls())
        done = await on.perform(a_video(1000), render_id="r-1")
        assert [type(message) for message in done.messages] == [
            wire.Hello, wire.Started, wire.Playing, wire.Progressed, wire.Finished,
        ]  # fmt: skip
        assert isinstance(done.end, wire.Finished)
        assert (done.folder / "video.mp4").read_bytes() == bytes(1000)
        assert done.end.report.media_type == "video/mp4"
        assert done.end.report.seed == 0
        await one_call(on, before, "done")
        call = (await on.calls())[-1]
        assert call.statuses == ["success"]
        assert not call.canceled
        assert on.breaker == {"state": "closed", "failures": 0, "next_probe_in": None, "last_error": None}

    play(modal_plane, tmp_path, scene)
    said = [record.getMessage() for record in caplog.records]
    assert "Modal integration enabled and available" in said
    begun, ended = (record for record in caplog.records if getattr(record, "tag", None) == "MODAL")
    assert begun.getMessage() == "Starting video rendering with Modal"
    assert ended.getMessage().startswith("Total processing time: ")
    assert begun.__dict__["render_id"] == ended.__dict__["render_id"] == "r-1"


def test_fifty_megabytes(modal_plane: RunningPlane, tmp_path: Path) -> None:
    size = 50 * 1024 * 1024

    async def scene(on: Stage) -> None:
        done = await on.perform(a_video(size, of=1024 * 1024))
        with (done.folder / "video.mp4").open("rb") as file:
            assert hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(bytes(size)).digest()

    play(modal_plane, tmp_path, scene)


def test_several_at_once_and_one_that_fails(modal_plane: RunningPlane, tmp_path: Path) -> None:
    talk = Talk()
    failed = wire.Failed(error=SceneError(code=ErrorCode.exception, message="x is not defined"))
    failing = steps(*talk.beginning(), talk.said(failed), talk.closed())

    async def scene(on: Stage) -> None:
        *good, bad = await asyncio.gather(*(on.perform(a_video(size)) for size in (100, 200, 300)), on.perform(failing))
        assert [(done.folder / "video.mp4").stat().st_size for done in good] == [100, 200, 300]
        assert bad.end == failed

    play(modal_plane, tmp_path, scene)


async def one_call(on: Stage, before: int, state: str) -> None:
    """Wait until there is one more call, in a state."""

    async def there() -> bool:
        calls = await on.calls()
        return len(calls) == before + 1 and calls[-1].states == [state]

    await eventually(there, f"a call that is {state}")


async def canceled(work: asyncio.Task[Any]) -> None:
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


def test_canceled_while_it_waits_for_a_container(modal_plane: RunningPlane, tmp_path: Path) -> None:
    modal_plane.inject(faults.HoldStart(function=STREAM))

    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        work = asyncio.create_task(on.perform(a_video()))
        await one_call(on, before, "queued")
        await canceled(work)
        call = (await on.calls())[-1]
        assert call.canceled
        assert call.runs == [0]
        assert on.breaker["failures"] == 0

    play(modal_plane, tmp_path, scene)


def test_canceled_while_it_runs(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        work = asyncio.create_task(on.perform(waiting(tmp_path / "never")))
        await one_call(on, before, "running")
        (pid,) = await on.pids()
        await canceled(work)
        assert (await on.calls())[-1].canceled
        await eventually(lambda: not alive(pid), "the end of the container")

    play(modal_plane, tmp_path, scene)


def test_canceled_while_it_is_being_submitted(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """The id of the call is not known yet. When it becomes known, the call is canceled."""

    async def scene(on: Stage) -> None:
        await on.perform(a_video())  # so that the function is looked up
        before = len(await on.calls())
        number = modal_plane.inject(faults.Silent(calls=("FunctionMap",)))
        work = asyncio.create_task(on.perform(waiting(tmp_path / "never")))
        await eventually(lambda: asyncio.to_thread(modal_plane.struck, number), "the submission")
        work.cancel()
        await asyncio.to_thread(modal_plane.clear, number)
        with pytest.raises(asyncio.CancelledError):
            await work
        await until_canceled(on, before)

    play(modal_plane, tmp_path, scene)


async def until_canceled(on: Stage, before: int) -> None:
    """Wait until one more call was made, and is canceled."""

    async def over() -> bool:
        calls = await on.calls()
        return len(calls) == before + 1 and calls[-1].canceled and calls[-1].states == ["done"]

    await eventually(over, "the cancellation of the call")


def test_a_call_that_modal_does_not_take(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """The render goes elsewhere after MODAL_CONNECT_TIMEOUT; taken after all, the call is canceled."""

    async def scene(on: Stage) -> None:
        await on.perform(a_video())
        before = len(await on.calls())
        number = modal_plane.inject(faults.Silent(calls=("FunctionMap",)))
        async with expiring(LONG, lambda: asyncio.to_thread(modal_plane.struck, number)):
            done = await on.perform(waiting(tmp_path / "never"))
        assert isinstance(done.error, UnavailableError)
        assert str(done.error) == f"Modal did not take the call within {LONG:g} s"
        assert not done.error.again
        await asyncio.to_thread(modal_plane.clear, number)
        await until_canceled(on, before)

    play(modal_plane, tmp_path, scene)


def test_what_goes_along_takes_its_time(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """A slow upload is not taken for a Modal that does not answer."""

    async def scene(on: Stage) -> None:
        await on.perform(a_video())
        content = b"x" * (3 * SLOWEST_UPLOAD)
        spec = RenderSpec(code="[]", assets=(use_of("a.txt", content),))
        number = modal_plane.inject(faults.Silent(calls=("FunctionMap",)))
        with attachments({"a.txt": content}) as attached:
            async with expiring(LONG + 3, lambda: asyncio.to_thread(modal_plane.struck, number)):
                with pytest.raises(UnavailableError, match=f"did not take the call within {LONG + 3:g} s"):
                    await on.executor.inspect(spec, timeout=PATIENCE, attached=attached)
        await asyncio.to_thread(modal_plane.clear, number)

    play(modal_plane, tmp_path, scene)


def test_a_cancel_that_fails_is_tried_again(
    modal_plane: RunningPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CANCEL_PAUSES", (0.0, 0.1, 0.1))
    tries_of_the_client = 4

    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        work = asyncio.create_task(on.perform(waiting(tmp_path / "never")))
        await one_call(on, before, "running")
        (pid,) = await on.pids()
        number = modal_plane.inject(faults.CancelFails(times=2 * tries_of_the_client))
        await canceled(work)
        await eventually(lambda: not alive(pid), "the end of the container")
        assert modal_plane.struck(number) == 2 * tries_of_the_client

    play(modal_plane, tmp_path, scene)


def test_stopping_ends_what_runs(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        work = asyncio.create_task(on.perform(waiting(tmp_path / "never")))
        await one_call(on, before, "running")
        (pid,) = await on.pids()
        await on.executor.stop()
        assert (await on.calls())[-1].canceled
        await eventually(lambda: not alive(pid), "the end of the container")
        assert (await work).error is not None

    play(modal_plane, tmp_path, scene)


def test_no_container_begins(modal_plane: RunningPlane, tmp_path: Path) -> None:
    number = modal_plane.inject(faults.HoldStart(function=STREAM))

    async def held_up(on: Stage) -> bool:
        return on.patience == 2 * LONG and await asyncio.to_thread(modal_plane.struck, number) > 0

    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        async with expiring(2 * LONG, lambda: held_up(on)):
            done = await on.perform(a_video())
        assert str(done.error) == f"no container began within {2 * LONG:g} s"
        assert done.error is not None
        assert not done.error.again
        await until_canceled(on, before)

    play(modal_plane, tmp_path, scene, modal_start_timeout=2 * LONG)


def test_a_container_falls_silent(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        script = waiting(tmp_path / "never")
        async with expiring(2 * LONG, lambda: on.items == len(script) - 1 and on.patience == 2 * LONG):
            done = await on.perform(script)
        assert str(done.error) == f"nothing was heard for {2 * LONG:g} s"
        assert done.error is not None
        assert done.error.again
        await until_canceled(on, before)

    play(modal_plane, tmp_path, scene, modal_silence_timeout=2 * LONG)


@pytest.mark.parametrize("status", ["failure", "internal_failure", "kernel_oom_kill"])
def test_out_of_memory(modal_plane: RunningPlane, tmp_path: Path, status: Any) -> None:
    modal_plane.inject(faults.OutOfMemory(function=STREAM, after=3, status=status))

    async def scene(on: Stage) -> None:
        assert (await on.perform(waiting(tmp_path / "never"))).code == "out_of_memory"
        assert on.breaker["failures"] == 0

    play(modal_plane, tmp_path, scene)


def test_what_a_scene_did_wrong_counts_even_when_its_container_says_no_more(
    modal_plane: RunningPlane, tmp_path: Path
) -> None:
    talk = Talk()
    failed = wire.Failed(error=SceneError(code=ErrorCode.exception, message="x is not defined"))
    script = steps(*talk.beginning(), talk.said(failed), {"wait": str(tmp_path / "never")})

    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        async with expiring(2 * LONG, lambda: on.items == len(script) - 1 and on.patience == 2 * LONG):
            assert (await on.perform(script)).end == failed
        await until_canceled(on, before)

    play(modal_plane, tmp_path, scene, modal_silence_timeout=2 * LONG)


def test_a_stream_that_ends_without_closing(modal_plane: RunningPlane, tmp_path: Path) -> None:
    talk = Talk()
    failed = wire.Failed(error=SceneError(code=ErrorCode.exception, message="x is not defined"))
    begun = talk.beginning()

    async def scene(on: Stage) -> None:
        assert str((await on.perform(steps(*begun))).error) == "the container ended the call in the middle"
        assert (await on.perform(steps(*begun, talk.said(failed)))).end == failed

    play(modal_plane, tmp_path, scene)


def test_a_scene_that_interferes_is_ended(modal_plane: RunningPlane, tmp_path: Path) -> None:
    talk = Talk()
    script = steps(*talk.beginning(), talk.item("message", body=b"{}"), {"wait": str(tmp_path / "never")})

    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        assert (await on.perform(script)).code == "forbidden"
        await until_canceled(on, before)
        assert on.breaker["failures"] == 0

    play(modal_plane, tmp_path, scene)


def test_an_app_of_another_version(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        done = await on.perform(steps(Talk().opened(protocol=PROTOCOL + 1)))
        assert done.error is not None
        assert not done.error.again
        assert "manimcast deploy" in str(done.error)

    play(modal_plane, tmp_path, scene)


def test_deployed_anew_while_something_runs(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """What runs is not disturbed; and what was looked up before is looked up again without failing a render."""
    go = tmp_path / "go"
    talk = Talk()
    end = steps(talk.finished(("video", "video.mp4", 3)), talk.chunk("video.mp4", b"abc"), talk.closed())

    async def scene(on: Stage) -> None:
        before = len(await on.calls())
        work = asyncio.create_task(on.perform(waiting(go) + end))
        await one_call(on, before, "running")
        await asyncio.to_thread(deploy, modal_plane)
        go.touch()
        assert isinstance((await work).end, wire.Finished)
        await asyncio.to_thread(stop, modal_plane)
        await asyncio.to_thread(deploy, modal_plane)
        assert isinstance((await on.perform(a_video())).end, wire.Finished)

    play(modal_plane, tmp_path, scene)


def test_an_app_that_is_stopped_and_deployed_again(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        await on.perform(a_video())
        await asyncio.to_thread(stop, modal_plane)
        done = await on.perform(a_video())
        assert isinstance(done.error, UnavailableError)
        assert str(done.error) == on.executor.status().reason == NOT_DEPLOYED
        await asyncio.to_thread(deploy, modal_plane)
        await eventually(lambda: on.executor.status().available, "the breaker's closing")
        assert isinstance((await on.perform(a_video())).end, wire.Finished)

    play(modal_plane, tmp_path, scene, modal_breaker_pause=0.5)


def test_a_lost_connection_is_made_anew(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        await on.perform(a_video())
        modal_plane.inject(faults.Drop())
        assert isinstance((await on.perform(a_video())).end, wire.Finished)

    play(modal_plane, tmp_path, scene)


def test_the_breaker_opens_after_as_many_renders_as_it_is_told(modal_plane: RunningPlane, tmp_path: Path) -> None:
    number = modal_plane.inject(faults.Kill(function=STREAM, after=1))

    async def scene(on: Stage) -> None:
        for _ in range(3):
            assert (await on.perform(waiting(tmp_path / "never"), render_id="the same")).error is not None
        assert on.breaker["failures"] == 1
        assert on.executor.status().available
        assert (await on.perform(waiting(tmp_path / "never"), render_id="another")).error is not None
        assert not on.executor.status().available
        assert on.breaker["state"] == "open"
        assert str(on.breaker["last_error"]).startswith("the container was lost")
        await asyncio.to_thread(modal_plane.clear, number)
        pass_time(LONG)
        await eventually(lambda: on.executor.status().available, "the breaker's closing")
        assert isinstance((await on.perform(a_video())).end, wire.Finished)

    play(modal_plane, tmp_path, scene, modal_breaker_failures=2, modal_breaker_pause=LONG)


def test_an_outage_is_noticed_told_and_found_to_be_over(
    modal_plane: RunningPlane, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "manimcast.executors.modal")
    number = modal_plane.inject(faults.BadToken())

    async def scene(on: Stage) -> None:
        assert on.executor.status().available  # until it is known better
        await eventually(lambda: not on.executor.status().available, "the failed look-up")
        assert "the token is not accepted" in str(on.executor.status().reason)
        await eventually(lambda: modal_plane.struck(number) > 2, "further probes")
        await asyncio.to_thread(modal_plane.clear, number)
        await eventually(lambda: on.executor.status().available, "the breaker's closing")
        assert on.breaker["last_error"] is None

    play(modal_plane, tmp_path, scene)
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if line.startswith("Modal lookup failed: the token is not accepted")]) == 1
    assert "Modal is available again" in said


def test_refused_connections_are_told_at_once(modal_plane: RunningPlane, tmp_path: Path) -> None:
    """Long before MODAL_CONNECT_TIMEOUT, which this test never meets."""

    async def scene(on: Stage) -> None:
        done = await on.perform(a_video())
        assert isinstance(done.error, UnavailableError)
        assert "refuses connections" in str(done.error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODAL_SERVER_URL", nobody_listens())
        play(modal_plane, tmp_path, scene)


def test_a_silent_server_is_given_up_after_the_bound(modal_plane: RunningPlane, tmp_path: Path) -> None:
    number = modal_plane.inject(faults.Silent())

    async def hurry() -> None:
        """Have time pass again and again: the first look-up waits for its answer as well."""
        await eventually(lambda: asyncio.to_thread(modal_plane.struck, number), "the silence")
        while True:
            pass_time(LONG)
            await asyncio.sleep(0.01)

    async def scene(on: Stage) -> None:
        hurrying = asyncio.create_task(hurry())
        done = await on.perform(a_video())
        hurrying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hurrying
        assert str(done.error) == f"Modal did not answer within {LONG:g} s"

    play(modal_plane, tmp_path, scene)


def test_health_is_asked_once_and_learnt_from_renders(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        details = on.executor.status().details
        assert details["app"] == "scripted"
        assert details["tokens"] == "✅ Configured"
        assert details["modal_health"] is None
        assert details["sandbox"] == {"tier": "container", "layers": []}
        await eventually(lambda: on.executor.status().details["modal_health"], "the health check's answer")
        details = on.executor.status().details
        assert details["modal_health"] == {"status": "healthy", "manim_version": "7"}
        assert details["sandbox"] == {"tier": "container", "layers": ["a", "b"]}
        await on.perform(a_video())
        learnt = on.executor.status().details["modal_health"]
        assert isinstance(learnt, dict)
        assert learnt["manim_version"] == "0.22.0"
        assert learnt["timestamp"]

    deploy(modal_plane, SCRIPTED_VERSION="7")
    play(modal_plane, tmp_path, scene)


def test_a_health_check_ends_with_the_executor(modal_plane: RunningPlane, tmp_path: Path) -> None:
    deploy(modal_plane, SCRIPTED_HOLD=str(tmp_path / "never"))

    async def scene(on: Stage) -> None:
        await eventually(lambda: on.pids(HEALTH), "the health check")
        (pid,) = await on.pids(HEALTH)
        await on.executor.stop()
        assert (await on.calls(HEALTH))[-1].canceled
        await eventually(lambda: not alive(pid), "the end of the container")

    play(modal_plane, tmp_path, scene)
    deploy(modal_plane)


def test_an_executor_that_never_started_can_be_stopped(modal_plane: RunningPlane, tmp_path: Path) -> None:
    async def scene(on: Stage) -> None:
        await on.executor.stop()

    play(modal_plane, tmp_path, scene)
