"""What a client of the service sees, from submit to the end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from manimcast.executors import policy
from manimcast.executors.base import ExecutorError
from manimcast.renders import (
    NoExecutor,
    QueueFull,
    Render,
    RenderNotFound,
    RenderService,
    RenderStatus,
    StoppingError,
)
from manimcast.renders.model import CacheMode
from manimcast.spec import ErrorCode
from manimcast.wire import Logged, Message
from tests.patience import PATIENCE

from .conftest import Serve
from .listening import heard, reaches, short, without_progress
from .scripted import DRAWING, GREETING, VIDEO, ScriptedExecutor, a_spec, at, played, playing

pytestmark = pytest.mark.anyio

FIRST = ("running", "scripted", 1)


async def ended(service: RenderService, render: Render) -> Render:
    """Return the render when it has ended."""
    result = await service.wait(render.id, tenant="t", timeout=PATIENCE)
    assert result.status.ended
    return result


async def test_a_render_from_submit_to_its_video(service: RenderService, executor: ScriptedExecutor) -> None:
    before = datetime.now(UTC)
    render = await service.submit(a_spec(quality="low", seed=7), tenant="t", metadata={"lesson": 3})
    assert render.id.startswith("rnd_")
    assert render.attempt == 0 or render.status is RenderStatus.running
    assert before - timedelta(seconds=1) < render.created_at < datetime.now(UTC) + timedelta(seconds=1)
    assert render.spec["quality"] == "low_quality"
    assert render.spec["seed"] == 7
    assert "code" not in render.spec
    assert await service.spec(render.id, tenant="t") == a_spec(quality="low", seed=7)

    performance = await executor.begun.get()
    assert performance.render_id == render.id
    assert performance.into.is_dir()
    performance.say(*GREETING, at(50))
    await reaches(service.events(render.id, tenant="t"), ("progress", 0, 50))
    running = await service.get(render.id, tenant="t")
    assert running is not None
    assert (running.status, running.attempt, running.executor) == (RenderStatus.running, 1, "scripted")
    assert running.progress is not None
    assert (running.progress.animation_percent, running.progress.percent) == (50, 25)
    assert running.progress.eta_seconds is not None
    assert running.queue_position is None

    performance.succeed()
    done = await ended(service, render)
    assert done.status is RenderStatus.succeeded
    assert done.created_at <= done.started_at <= done.finished_at  # type: ignore[operator]
    assert done.result is not None
    assert (done.result.bytes, done.result.width, done.result.frames) == (len(VIDEO), 1280, 30)
    assert done.result.video.name == "video.mp4"
    assert done.result.video_url is None
    assert done.timings["draw"] == 0.5
    assert done.timings["total"] >= done.timings["queued"] >= 0
    assert done.fingerprint == {"manim": "0.22.0"}
    assert running.drawing is None
    assert done.drawing == DRAWING
    assert done.cache.hit == "none"
    assert done.metadata == {"lesson": 3}
    assert done.error is None
    assert not performance.into.exists()
    assert "files" not in done.model_dump()["result"]


async def test_another_tenants_render_is_not_there(service: RenderService) -> None:
    render = await service.submit(a_spec(), tenant="t")
    assert await service.get(render.id, tenant="other") is None
    assert await service.spec(render.id, tenant="other") is None
    with pytest.raises(RenderNotFound):
        await service.wait(render.id, tenant="other", timeout=0)
    with pytest.raises(RenderNotFound):
        await service.cancel(render.id, tenant="other")
    with pytest.raises(RenderNotFound):
        await anext(service.events(render.id, tenant="other"))
    still = await service.get(render.id, tenant="t")
    assert still is not None
    assert not still.status.ended


async def test_a_scene_at_fault_fails_the_render_at_its_first_attempt(
    service: RenderService, executor: ScriptedExecutor
) -> None:
    render = await service.submit(a_spec(), tenant="t")
    (await executor.begun.get()).fail()
    done = await ended(service, render)
    assert (done.status, done.attempt) == (RenderStatus.failed, 1)
    assert done.error is not None
    assert done.error.code is ErrorCode.exception
    assert done.result is None


async def test_renders_run_in_the_order_they_came(service: RenderService, executor: ScriptedExecutor) -> None:
    renders = [await service.submit(a_spec(), tenant="t") for _ in range(5)]
    first = await executor.begun.get()
    waiting = [await service.get(render.id, tenant="t") for render in renders[1:]]
    assert [render and render.queue_position for render in waiting] == [1, 2, 3, 4]
    assert await service.queue_depth() == (4, 1)
    order = [first.render_id]
    first.succeed()
    for _ in renders[1:]:
        performance = await executor.begun.get()
        order.append(performance.render_id)
        performance.succeed()
    assert order == [render.id for render in renders]
    assert executor.most_running == 1


async def test_as_many_run_at_once_as_there_are_slots(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve(render_slots=3) as service:
        renders = [await service.submit(a_spec(), tenant="t") for _ in range(7)]
        for _ in renders:
            (await executor.begun.get()).succeed()
        assert [(await ended(service, render)).status for render in renders] == [RenderStatus.succeeded] * 7
        performances = [await service.submit(a_spec(), tenant="t") for _ in range(4)]
        for _ in range(3):
            await executor.begun.get()
        assert executor.running == 3
        last = await service.get(performances[3].id, tenant="t")
        assert last is not None
        assert last.queue_position == 1
        assert executor.most_running == 3


async def test_the_queue_is_bounded_and_opens_again(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve(queue_limit=2) as service:
        for _ in range(3):
            await service.submit(a_spec(), tenant="t")
        with pytest.raises(QueueFull) as full:
            await service.submit(a_spec(), tenant="t")
        assert 1 <= full.value.retry_after <= 300
        assert sum(await service.queue_depth()) == 3
        (await executor.begun.get()).succeed()
        await executor.begun.get()
        await service.submit(a_spec(), tenant="t")
        with pytest.raises(QueueFull):
            await service.submit(a_spec(), tenant="t")


async def test_many_submitted_at_once_do_not_pass_the_bound(serve: Serve) -> None:
    async with serve(queue_limit=4) as service:
        answers = await asyncio.gather(
            *(service.submit(a_spec(), tenant="t") for _ in range(20)), return_exceptions=True
        )
        assert sum(isinstance(answer, Render) for answer in answers) == 5
        assert sum(isinstance(answer, QueueFull) for answer in answers) == 15


async def test_a_queue_of_no_length_still_takes_what_can_run_at_once(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve(queue_limit=0) as service:
        render = await service.submit(a_spec(), tenant="t")
        with pytest.raises(QueueFull):
            await service.submit(a_spec(), tenant="t")
        (await executor.begun.get()).succeed()
        await ended(service, render)
        await service.submit(a_spec(), tenant="t")


async def test_without_an_executor_nothing_is_taken(service: RenderService, executor: ScriptedExecutor) -> None:
    executor.unavailable = "bubblewrap is missing; install it"
    with pytest.raises(NoExecutor, match="scripted: bubblewrap is missing"):
        await service.submit(a_spec(), tenant="t")
    assert await service.queue_depth() == (0, 0)


async def test_the_timeout_is_the_smaller_of_the_two(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve(render_timeout=100) as service:
        timeouts = []
        for asked in (None, 5, 1000):
            await service.submit(a_spec(timeout=asked), tenant="t")
            performance = await executor.begun.get()
            timeouts.append(performance.timeout)
            performance.succeed()
        assert timeouts == [100, 5, 100]


async def test_waiting_ends_at_its_timeout_with_the_present_state(
    service: RenderService, executor: ScriptedExecutor
) -> None:
    render = await service.submit(a_spec(), tenant="t")
    await executor.begun.get()
    assert (await service.wait(render.id, tenant="t", timeout=0.01)).status is RenderStatus.running


async def test_everybody_hears_everything(service: RenderService, executor: ScriptedExecutor) -> None:
    render = await service.submit(a_spec(), tenant="t")
    script: list[Message] = [*GREETING, at(40), Logged(level="info", text="hm"), at(100), played(0), playing(1)]
    early = [asyncio.create_task(heard(service, render.id)) for _ in range(3)]
    performance = await executor.begun.get()
    performance.say(*script)
    late = asyncio.create_task(heard(service, render.id))
    performance.succeed()
    after = await early[0]
    assert without_progress(after) == [("queued",), FIRST, ("log", "hm"), ("segment", 0, 30), ("succeeded",)]
    assert short(after[-2]) == ("progress", 0, 100)
    assert [event.number for event in after] == list(range(1, len(after) + 1))
    assert [await listener for listener in (*early, late)] == [after] * 4
    assert await heard(service, render.id) == after, "an ended render replays it"
    assert await heard(service, render.id, after=4) == after[4:]
    assert await heard(service, render.id, after=len(after)) == []


async def test_a_queued_render_is_canceled_without_having_run(
    service: RenderService, executor: ScriptedExecutor
) -> None:
    running = await service.submit(a_spec(), tenant="t")
    waiting = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    watching = asyncio.create_task(service.wait(waiting.id, tenant="t", timeout=PATIENCE))
    canceled = await service.cancel(waiting.id, tenant="t")
    assert (canceled.status, canceled.attempt, canceled.started_at) == (RenderStatus.canceled, 0, None)
    assert canceled.error is not None
    assert canceled.error.code is ErrorCode.canceled
    assert canceled.finished_at is not None
    assert (await watching).status is RenderStatus.canceled
    performance.succeed()
    assert (await ended(service, running)).status is RenderStatus.succeeded
    assert executor.begun.empty()


async def test_canceling_a_running_render_returns_when_nothing_of_it_runs(
    service: RenderService, executor: ScriptedExecutor
) -> None:
    render = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    performance.linger = asyncio.Event()
    performance.say(*GREETING)

    at_once = await service.cancel(render.id, tenant="t", wait=False)
    assert at_once.status is RenderStatus.canceled
    waiting = asyncio.create_task(service.cancel(render.id, tenant="t"))
    assert not performance.over.is_set()
    performance.linger.set()
    assert (await waiting).status is RenderStatus.canceled
    assert performance.over.is_set()
    assert not performance.into.exists()

    again = await service.submit(a_spec(), tenant="t")
    (await executor.begun.get()).succeed()
    assert (await ended(service, again)).status is RenderStatus.succeeded


async def test_of_many_who_delete_a_render_at_once_one_does(
    tmp_path: Path, service: RenderService, executor: ScriptedExecutor
) -> None:
    for is_running in (True, False):
        render = await service.submit(a_spec(), tenant="t", cache=CacheMode.off)
        performance = await executor.begun.get()
        if not is_running:
            performance.succeed()
            await service.wait(render.id, tenant="t", timeout=PATIENCE)
        heard = await asyncio.gather(*(service.delete(render.id, tenant="t") for _ in range(8)), return_exceptions=True)
        assert sorted(map(type, heard), key=repr) == sorted([type(None), *[RenderNotFound] * 7], key=repr)
        assert performance.over.is_set()
        assert await service.get(render.id, tenant="t") is None
        assert list((tmp_path / "data" / "videos").iterdir()) == []


async def test_what_still_runs_when_the_service_ends_is_not_said_to_be_deleted(
    service: RenderService, executor: ScriptedExecutor
) -> None:
    render = await service.submit(a_spec(), tenant="t")
    performance = await executor.begun.get()
    performance.linger = asyncio.Event()
    deleting = asyncio.create_task(service.delete(render.id, tenant="t"))
    await service.wait(render.id, tenant="t", timeout=PATIENCE)
    await service._feed.close()
    with pytest.raises(StoppingError):
        await deleting
    left = await service.get(render.id, tenant="t")
    assert left is not None
    assert left.status is RenderStatus.canceled
    performance.linger.set()


async def test_canceling_an_ended_render_changes_nothing(service: RenderService, executor: ScriptedExecutor) -> None:
    render = await service.submit(a_spec(), tenant="t")
    (await executor.begun.get()).succeed()
    done = await ended(service, render)
    assert await service.cancel(render.id, tenant="t") == done


async def test_cancels_race_with_claims_and_none_is_lost(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve(render_slots=4) as service:
        for _ in range(15):
            render = await service.submit(a_spec(), tenant="t")
            canceled = await service.cancel(render.id, tenant="t")
            assert canceled.status is RenderStatus.canceled
        assert executor.running == 0
        assert await service.queue_depth() == (0, 0)


async def test_an_executor_at_fault_gets_another_attempt(service: RenderService, executor: ScriptedExecutor) -> None:
    render = await service.submit(a_spec(), tenant="t")
    later = await service.submit(a_spec(), tenant="t")
    listening = asyncio.create_task(heard(service, render.id))
    first = await executor.begun.get()
    first.say(*GREETING, played(0))
    first.break_off(ExecutorError("the warm process died"))
    second = await executor.begun.get()
    assert second.render_id == render.id, "it keeps its place before what came later"
    assert second.into != first.into
    second.say(*GREETING)
    second.succeed()
    done = await ended(service, render)
    assert (done.status, done.attempt, done.error) == (RenderStatus.succeeded, 2, None)
    assert without_progress(await listening) == [
        *(("queued",), FIRST, ("segment", 0, 30)),
        *(("queued",), ("running", "scripted", 2), ("succeeded",)),
    ]
    (await executor.begun.get()).succeed()
    assert (await ended(service, later)).attempt == 1


@pytest.mark.parametrize("fault", [ExecutorError("no luck"), ValueError("a fault of its own")])
async def test_attempts_are_bounded(service: RenderService, executor: ScriptedExecutor, fault: Exception) -> None:
    render = await service.submit(a_spec(), tenant="t")
    for _ in range(3):
        (await executor.begun.get()).break_off(fault)
    done = await ended(service, render)
    assert (done.status, done.attempt) == (RenderStatus.failed, 3)
    assert done.error is not None
    assert done.error.code is ErrorCode.internal
    assert str(fault) in done.error.message
    assert executor.begun.empty()


async def test_an_unavailable_executor_leaves_renders_in_the_queue(
    service: RenderService, executor: ScriptedExecutor
) -> None:
    await service.submit(a_spec(), tenant="t")
    waiting = await service.submit(a_spec(), tenant="t")
    first = await executor.begun.get()
    executor.unavailable = "gone for a while"
    first.succeed()
    await service.wait(first.render_id, tenant="t", timeout=PATIENCE)
    still = await service.wait(waiting.id, tenant="t", timeout=0.05)
    assert still.status is RenderStatus.queued
    executor.unavailable = None
    (await executor.begun.get()).succeed()
    assert (await ended(service, waiting)).status is RenderStatus.succeeded


async def test_a_fault_in_the_choice_of_an_executor_does_not_end_the_claiming(
    service: RenderService,
    executor: ScriptedExecutor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    choose, faults = policy.choose, [RuntimeError("nobody foresaw this")]

    def chooses(*asked: Any) -> policy.Choice:
        if faults and asyncio.current_task() is service._worker._loop:
            raise faults.pop()
        return choose(*asked)

    monkeypatch.setattr(policy, "choose", chooses)
    render = await service.submit(a_spec(), tenant="t")
    (await executor.begun.get()).succeed()
    assert (await ended(service, render)).status is RenderStatus.succeeded
    assert not faults
    assert "nobody foresaw this" in caplog.text
