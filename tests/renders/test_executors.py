"""Several executors: where a render goes, when it goes elsewhere, and who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from manimcast.executors.base import ExecutorError
from manimcast.renders import (
    NoExecutor,
    QueueFull,
    Render,
    RenderService,
    RenderStatus,
    executor_at_fault,
    fleet,
    stranded,
    worker,
)
from manimcast.settings import Settings
from manimcast.spec import ErrorCode, SceneError
from manimcast.wire import Failed, Finished
from tests.patience import PATIENCE

from .conftest import Serve
from .listening import reaches
from .scripted import GREETING, VIDEO, Performance, ScriptedExecutor, a_report, a_spec, at

pytestmark = pytest.mark.anyio


@pytest.fixture
def modal() -> ScriptedExecutor:
    return ScriptedExecutor("modal", tries=2)


@pytest.fixture
def local() -> ScriptedExecutor:
    return ScriptedExecutor("local")


async def ended(service: RenderService, render: Render) -> Render:
    result = await service.wait(render.id, tenant="t", timeout=PATIENCE)
    assert result.status.ended
    return result


async def submit(service: RenderService, executor: str = "auto") -> Render:
    return await service.submit(a_spec(), tenant="t", executor=executor)


def messages_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("manimcast.renders")]


async def test_a_render_goes_where_it_is_asked_to(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        for asked, executor in (("auto", modal), ("modal", modal), ("local", local)):
            render = await submit(service, asked)
            assert render.spec["executor"] == asked
            (await executor.begun.get()).succeed()
            done = await ended(service, render)
            assert (done.status, done.executor, done.spec["executor"]) == (RenderStatus.succeeded, executor.name, asked)
        assert modal.begun.empty()
        assert local.begun.empty()


@pytest.mark.parametrize("code", [ErrorCode.exception, ErrorCode.timeout, ErrorCode.out_of_memory])
async def test_a_scene_at_fault_is_tried_nowhere_else(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, code: ErrorCode
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        (await modal.begun.get()).fail(code)
        done = await ended(service, render)
        assert (done.status, done.attempt, done.executor) == (RenderStatus.failed, 1, "modal")
        assert done.error is not None
        assert done.error.code is code
        assert not executor_at_fault(done.error)
        assert local.begun.empty()


async def test_an_executor_at_fault_is_tried_again_and_then_another(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        events = service.events(render.id, tenant="t")
        for number in (1, 2):
            performance = await modal.begun.get()
            performance.say(*GREETING, at(30))
            assert ("running", "modal", number) in await reaches(events, ("progress", 0, 30))
            performance.break_off(ExecutorError("the container was lost."))
        performance = await local.begun.get()
        assert await reaches(events, ("running", "local", 3)) == [("queued",), ("running", "local", 3)]
        performance.succeed()
        done = await ended(service, render)
        assert (done.status, done.executor, done.attempt) == (RenderStatus.succeeded, "local", 3)
        assert done.error is None
    assert messages_of(caplog) == [
        "Modal failed: the container was lost. Trying again.",
        "Modal failed: the container was lost. Falling back to local rendering.",
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


async def test_a_failure_that_would_only_repeat_falls_back_at_once(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        (await modal.begun.get()).break_off(ExecutorError("the app is not deployed", again=False))
        (await local.begun.get()).succeed()
        assert (await ended(service, render)).attempt == 2
        assert modal.begun.empty()


async def test_an_executor_that_is_gone_after_a_failure_is_not_waited_for(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        performance = await modal.begun.get()
        modal.unavailable = "left alone for 15 s"
        performance.break_off(ExecutorError("the connection broke"))
        (await local.begun.get()).succeed()
        assert (await ended(service, render)).executor == "local"


@pytest.mark.parametrize("gone", [False, True])
async def test_whoever_asks_for_modal_never_gets_anything_else(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, gone: bool
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service, "modal")
        performance = await modal.begun.get()
        if gone:
            modal.unavailable = "left alone for 15 s"
        else:
            performance.break_off(ExecutorError("the connection broke"))
            performance = await modal.begun.get()
        performance.break_off(ExecutorError("the connection broke"))
        done = await ended(service, render)
        assert done.status is RenderStatus.failed
        assert done.error is not None
        assert executor_at_fault(done.error)
        assert (done.error.code, done.error.exception) == (ErrorCode.internal, "ExecutorError")
        said = "the connection broke, then: left alone" if gone else "failed 2 times, last: the connection broke"
        assert done.error.message.startswith(f"no executor could render it: modal: {said}")
        assert local.begun.empty()


async def test_when_every_executor_has_failed_each_ones_reason_is_told(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    local.tries = 1
    async with serve(modal, local) as service:
        render = await submit(service)
        for _ in range(2):
            (await modal.begun.get()).break_off(ExecutorError("the container was lost"))
        (await local.begun.get()).break_off(OSError("no fork"))
        done = await ended(service, render)
        assert (done.status, done.attempt) == (RenderStatus.failed, 3)
        assert done.error is not None
        assert done.error.message == (
            "no executor could render it: modal: failed 2 times, last: the container was lost; local: OSError: no fork"
        )
    assert messages_of(caplog)[-1] == "Local failed: OSError: no fork. Nothing is left to render it."


async def test_what_is_asked_for_is_judged_when_it_is_submitted(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        local.unavailable = "manim is not installed"
        with pytest.raises(NoExecutor) as none:
            await submit(service, "local")
        assert none.value.reason == "local: manim is not installed"
        modal.unavailable = "no answer"
        with pytest.raises(NoExecutor, match="modal: no answer; local: manim is not installed"):
            await submit(service)
        local.unavailable = None
        with pytest.raises(NoExecutor, match=r"^modal: no answer$"):
            await submit(service, "modal")
        render = await submit(service)
        assert (await local.begun.get()).render_id == render.id
    async with serve(local) as service:
        with pytest.raises(NoExecutor, match="USE_MODAL=true"):
            await submit(service, "modal")


async def test_slots_are_each_executors_own_and_nothing_spills_over(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        first, second, third = [await submit(service, asked) for asked in ("auto", "auto", "local")]
        performance = await modal.begun.get()
        assert performance.render_id == first.id
        at_home = await local.begun.get()
        assert at_home.render_id == third.id, "it is not held up by what waits for the other executor"
        at_home.succeed()
        await ended(service, third)
        waiting = await service.get(second.id, tenant="t")
        assert waiting is not None
        assert waiting.status is RenderStatus.queued, "Modal is available, so it waits for Modal"
        performance.succeed()
        (await modal.begun.get()).succeed()
        assert (await ended(service, second)).executor == "modal"
        assert (modal.most_running, local.most_running) == (1, 1)


async def test_however_many_wait_for_a_full_executor_the_first_for_another_starts(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PAGE", 2)
    # Modal has failed these, so they wait for this machine, though they did not ask for it.
    failed: list[Render] = []
    async with serve(modal, local) as service:
        kept_busy = await submit(service, "local")
        at_home = await local.begun.get()
        for _ in range(5):
            failed.append(await submit(service))
            (await modal.begun.get()).break_off(ExecutorError("no such image", again=False))
        last = await submit(service)
        (await modal.begun.get()).succeed()
        assert (await ended(service, last)).executor == "modal"
        at_home.succeed()
        assert (await ended(service, kept_busy)).executor == "local"
        for _ in failed:
            (await local.begun.get()).succeed()
        assert [(await ended(service, one)).executor for one in failed] == ["local"] * 5


async def test_what_waits_for_an_executor_goes_elsewhere_when_that_is_gone(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        await submit(service)
        await modal.begun.get()
        second = await submit(service)
        modal.unavailable = "no answer"
        (await local.begun.get()).succeed()  # without anything else happening
        assert (await ended(service, second)).executor == "local"


async def test_a_render_that_finds_no_executor_waits_but_not_for_ever(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_AGAIN", 0.01)
    async with serve(modal, local) as service:
        busy = await submit(service, "modal")
        performance = await modal.begun.get()
        waiting, served = await submit(service, "modal"), await submit(service, "local")
        (await local.begun.get()).succeed()
        await ended(service, served)
        modal.unavailable = "no answer"
        following = asyncio.create_task(service.wait(waiting.id, tenant="t", timeout=PATIENCE))
        early = await service.wait(waiting.id, tenant="t", timeout=0.1)
        assert early.status is RenderStatus.queued
        monkeypatch.setattr(stranded, "PATIENCE", 0.1)
        done = await following
        assert (done.status, done.attempt, done.executor) == (RenderStatus.failed, 0, None)
        assert done.error is not None
        assert executor_at_fault(done.error)
        assert done.error.message == "no executor could render it: modal: no answer"
        performance.succeed()
        assert (await ended(service, busy)).status is RenderStatus.succeeded, "what runs goes on"


async def test_counts_outlive_the_service(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, settings: Callable[..., Settings]
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        (await modal.begun.get()).break_off(ExecutorError("the container was lost"))
        await modal.begun.get()
    async with serve(modal, local) as service:
        (await modal.begun.get()).break_off(
            ExecutorError("the container was lost")
        )  # the second failure, third attempt
        (await local.begun.get()).succeed()
        done = await ended(service, render)
        assert (done.status, done.executor, done.attempt) == (RenderStatus.succeeded, "local", 4)


async def test_what_asked_for_modal_ends_when_the_next_start_has_none(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stranded, "PATIENCE", 0.1)
    async with serve(modal, local) as service:
        render = await submit(service, "modal")
        await modal.begun.get()
    async with serve(local) as service:
        done = await ended(service, render)
        assert done.error is not None
        assert "USE_MODAL=true" in done.error.message


async def test_a_render_is_canceled_during_its_second_attempt(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        (await modal.begun.get()).break_off(ExecutorError("not deployed", again=False))
        performance = await local.begun.get()
        performance.say(*GREETING)
        canceled = await service.cancel(render.id, tenant="t")
        assert (canceled.status, canceled.executor, canceled.attempt) == (RenderStatus.canceled, "local", 2)
        assert performance.over.is_set()
        assert (modal.running, local.running) == (0, 0)
        again = await submit(service, "local")
        (await local.begun.get()).succeed()
        assert (await ended(service, again)).status is RenderStatus.succeeded


async def test_a_render_that_is_canceled_while_its_executor_fails_stays_canceled(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        performance = await modal.begun.get()
        performance.linger = asyncio.Event()
        performance.break_off(ExecutorError("the connection broke"))
        await service.cancel(render.id, tenant="t", wait=False)
        performance.linger.set()
        assert (await service.cancel(render.id, tenant="t")).status is RenderStatus.canceled
        await submit(service, "local")
        assert (await local.begun.get()).render_id != render.id
        assert modal.begun.empty()


async def test_room_is_what_runs_at_once_where_it_can_and_the_queue(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    modal.slots = 2
    for unavailable, room in (((), 3), ((local,), 2), ((modal,), 3), ((modal, local), 2)):
        for executor in unavailable:
            executor.unavailable = "gone"
        async with serve(modal, local, queue_limit=0) as service:
            assert service.slots == room
        modal.unavailable = local.unavailable = None
    async with serve(modal, local, queue_limit=1) as service:
        for _ in range(4):
            await submit(service)
        with pytest.raises(QueueFull) as full:
            await submit(service)
        assert full.value.retry_after == fleet.TYPICAL_RENDER / 2, "by the slots of what would run it"
        with pytest.raises(QueueFull) as full:
            await submit(service, "local")
        assert full.value.retry_after == fleet.TYPICAL_RENDER


async def test_an_executor_that_hangs_is_given_its_overtime_and_no_more(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    modal.overtime, modal.tries = 0.05, 1
    async with serve(modal, local) as service:
        render = await service.submit(a_spec(timeout=0.05), tenant="t")
        performance = await modal.begun.get()
        await performance.over.wait()
        (await local.begun.get()).succeed()
        assert (await ended(service, render)).executor == "local"


async def test_a_render_costs_what_its_executors_seconds_cost(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    def finish(performance: Performance, seconds: float | None) -> None:
        (performance.into / "video.mp4").write_bytes(VIDEO)
        performance.say(Finished(report=a_report().model_copy(update={"compute_seconds": seconds})))

    async with serve(modal, local) as service:
        measured, told = await submit(service), await submit(service, "local")
        finish(await modal.begun.get(), None)
        finish(await local.begun.get(), 10)
        done = await ended(service, told)
        assert done.cost is not None
        assert (done.cost.usd_estimate, done.cost.basis) == (20, "10.00 s x (2 cores x $0.5 + 4 GiB x $0.25)")
        done = await ended(service, measured)
        assert done.cost is not None
        assert done.cost.usd_estimate > 0
        failing = await submit(service)
        (await modal.begun.get()).fail()
        assert (await ended(service, failing)).cost is None


async def test_a_scene_may_not_pass_its_failure_off_as_the_executors(
    serve: Serve, modal: ScriptedExecutor, local: ScriptedExecutor
) -> None:
    async with serve(modal, local) as service:
        render = await submit(service)
        lie = SceneError(code=ErrorCode.internal, message="the service is down", exception="ExecutorError")
        (await modal.begun.get()).say(Failed(error=lie))
        done = await ended(service, render)
        assert done.error is not None
        assert (done.error.message, done.error.exception) == ("the service is down", None)
        assert not executor_at_fault(done.error)
