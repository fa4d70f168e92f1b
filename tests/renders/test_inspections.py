"""How many dry runs there may be, who runs them, and what they are priced by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from manimcast.executors.attachment import Attachment
from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.inspection import Inspector
from manimcast.executors.price import Rate
from manimcast.inspection import Inspection
from manimcast.renders import Inspections, NoExecutor, QueueFull
from manimcast.settings import Settings
from manimcast.spec import RenderSpec
from tests.renders.scripted import ScriptedExecutor, a_spec

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class DryExecutor(ScriptedExecutor):
    """One that runs scenes dry when the test lets it."""

    is_here = True

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.asked: asyncio.Queue[tuple[RenderSpec, float, Rate | None]] = asyncio.Queue()
        self.answers: asyncio.Queue[Inspection | ExecutorError] = asyncio.Queue()
        self.running = 0

    async def inspect(
        self, spec: RenderSpec, *, timeout: float, rate: Rate | None = None, attached: Sequence[Attachment] = ()
    ) -> Inspection:
        self.running += 1
        self.asked.put_nowait((spec, timeout, rate))
        try:
            answer = await self.answers.get()
        finally:
            self.running -= 1
        if isinstance(answer, ExecutorError):
            raise answer
        return answer


DONE = Inspection(scenes=("A",))


def service(folder: Path, *executors: Any, **fields: Any) -> Inspections:
    settings = Settings(_env_file=None, data_dir=folder, **fields)
    return Inspections(settings, executors)


def test_the_scripted_executor_is_none_that_inspects() -> None:
    assert not isinstance(ScriptedExecutor(), Inspector)
    assert isinstance(DryExecutor(), Inspector)


def test_half_of_the_slots_are_for_dry_runs(tmp_path: Path) -> None:
    def slots(**fields: Any) -> int:
        return Settings(_env_file=None, data_dir=tmp_path, **fields).inspections

    assert [slots(render_slots=count) for count in (1, 2, 3, 8)] == [1, 1, 2, 4]
    assert slots(render_slots=8, inspect_slots=1) == 1


async def test_no_more_run_at_once_than_allowed_and_the_next_follows(tmp_path: Path) -> None:
    executor = DryExecutor()
    inspections = service(tmp_path, executor, inspect_slots=2)
    tasks = [asyncio.ensure_future(inspections.inspect(a_spec(seed=seed))) for seed in range(3)]
    began = [(await executor.asked.get())[0].seed for _ in range(2)]
    assert (began, executor.running, executor.asked.qsize()) == ([0, 1], 2, 0)
    executor.answers.put_nowait(DONE)
    assert (await executor.asked.get())[0].seed == 2
    executor.answers.put_nowait(DONE)
    executor.answers.put_nowait(DONE)
    assert await asyncio.gather(*tasks) == [DONE] * 3


async def test_more_than_may_wait_are_refused(tmp_path: Path) -> None:
    executor = DryExecutor()
    inspections = service(tmp_path, executor, inspect_slots=1, queue_limit=1)
    first = asyncio.ensure_future(inspections.inspect(a_spec()))
    await executor.asked.get()
    second = asyncio.ensure_future(inspections.inspect(a_spec()))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull) as refused:
        await inspections.inspect(a_spec())
    assert refused.value.retry_after >= 1
    second.cancel()
    await asyncio.wait({second})
    third = asyncio.ensure_future(inspections.inspect(a_spec()))  # there is room again
    executor.answers.put_nowait(DONE)
    executor.answers.put_nowait(DONE)
    assert await first == await third == DONE


async def test_a_cancelled_dry_run_makes_room(tmp_path: Path) -> None:
    executor = DryExecutor()
    inspections = service(tmp_path, executor, inspect_slots=1)
    first = asyncio.ensure_future(inspections.inspect(a_spec()))
    await executor.asked.get()
    first.cancel()
    await asyncio.wait({first})
    assert executor.running == 0
    executor.answers.put_nowait(DONE)
    assert await inspections.inspect(a_spec()) == DONE


async def test_the_timeout_is_bounded_by_the_setting(tmp_path: Path) -> None:
    executor = DryExecutor()
    inspections = service(tmp_path, executor, inspect_timeout=7)
    for asked, expected in ((None, 7), (3, 3), (200, 7)):
        executor.answers.put_nowait(DONE)
        await inspections.inspect(a_spec(timeout=asked))
        assert (await executor.asked.get())[1] == expected


async def test_the_price_is_that_of_where_it_would_be_rendered(tmp_path: Path) -> None:
    dear, cheap = ScriptedExecutor(name="modal"), DryExecutor(name="local")
    dear.rate = Rate(cores=2, gib=4, usd_core_second=1, usd_gib_second=1)
    inspections = service(tmp_path, dear, cheap)
    for asked, expected in (("auto", dear.rate), ("modal", dear.rate), ("local", cheap.rate)):
        cheap.answers.put_nowait(DONE)
        await inspections.inspect(a_spec(), executor=asked)
        assert (await cheap.asked.get())[2] == expected


async def test_it_is_tried_again_when_the_machinery_failed(tmp_path: Path) -> None:
    executor = DryExecutor()
    inspections = service(tmp_path, executor)
    executor.answers.put_nowait(ExecutorError("the warm process died"))
    executor.answers.put_nowait(DONE)
    assert await inspections.inspect(a_spec()) == DONE


async def test_what_fails_for_good_is_told(tmp_path: Path) -> None:
    executor = DryExecutor()
    inspections = service(tmp_path, executor)
    executor.answers.put_nowait(ExecutorError("no sandbox", again=False))
    with pytest.raises(NoExecutor, match="no sandbox"):
        await inspections.inspect(a_spec())


async def test_without_an_executor_on_this_machine_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(NoExecutor, match="no executor of this service can run scenes dry"):
        await service(tmp_path, ScriptedExecutor(name="modal")).inspect(a_spec())
    refused = DryExecutor(name="local")
    refused.status = lambda: ExecutorStatus(available=False, reason="no full sandbox")  # type: ignore[method-assign]
    with pytest.raises(NoExecutor, match=r"no dry run is possible: local: no full sandbox"):
        await service(tmp_path, ScriptedExecutor(name="modal"), refused).inspect(a_spec())


def away(*, reason: str | None = None) -> DryExecutor:
    executor = DryExecutor(name="modal")
    executor.is_here = False
    executor.status = lambda: ExecutorStatus(available=reason is None, reason=reason)  # type: ignore[method-assign]
    return executor


async def test_they_happen_on_this_machine_as_long_as_it_can(tmp_path: Path) -> None:
    modal, local = away(), DryExecutor(name="local")
    for asked in ("auto", "modal", "local"):
        local.answers.put_nowait(DONE)
        await service(tmp_path, modal, local).inspect(a_spec(), executor=asked)
    assert modal.asked.empty()


@pytest.mark.parametrize("asked", ["auto", "modal"])
async def test_else_they_happen_where_else_scenes_can_be_run(tmp_path: Path, asked: str) -> None:
    modal, local = away(), DryExecutor(name="local")
    modal.rate = Rate(cores=2, gib=4, usd_core_second=1, usd_gib_second=1)
    local.status = lambda: ExecutorStatus(available=False, reason="no full sandbox")  # type: ignore[method-assign]
    modal.answers.put_nowait(DONE)
    assert await service(tmp_path, modal, local).inspect(a_spec(), executor=asked) == DONE
    assert (await modal.asked.get())[2] == modal.rate
    assert local.asked.empty()


async def test_what_may_only_run_here_goes_nowhere_else(tmp_path: Path) -> None:
    local = DryExecutor(name="local")
    local.status = lambda: ExecutorStatus(available=False, reason="no full sandbox")  # type: ignore[method-assign]
    with pytest.raises(NoExecutor, match=r"no dry run is possible: local: no full sandbox$"):
        await service(tmp_path, away(), local).inspect(a_spec(), executor="local")


async def test_one_that_fails_for_good_is_followed_by_the_other(tmp_path: Path) -> None:
    modal, local = away(), DryExecutor(name="local")
    inspections = service(tmp_path, modal, local)
    local.answers.put_nowait(ExecutorError("no manim", again=False))
    modal.answers.put_nowait(DONE)
    assert await inspections.inspect(a_spec()) == DONE
    local.answers.put_nowait(ExecutorError("no manim", again=False))
    modal.answers.put_nowait(ExecutorError("not deployed", again=False))
    with pytest.raises(NoExecutor, match="the dry run failed: local: no manim; modal: not deployed"):
        await inspections.inspect(a_spec())


async def test_why_there_is_none_is_told_of_each(tmp_path: Path) -> None:
    local = DryExecutor(name="local")
    local.status = lambda: ExecutorStatus(available=False, reason="no full sandbox")  # type: ignore[method-assign]
    with pytest.raises(NoExecutor, match="no dry run is possible: local: no full sandbox; modal: not deployed"):
        await service(tmp_path, away(reason="not deployed"), local).inspect(a_spec())
