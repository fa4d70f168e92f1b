"""The same request again: answered with what it came to the first time, if anything of that was kept."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from manimcast.renders import CacheMode, Render, RenderService, RenderStatus
from manimcast.spec import ErrorCode
from tests.patience import PATIENCE

from .conftest import Serve
from .listening import heard, short
from .scripted import DRAWING, GREETING, VIDEO, ScriptedExecutor, a_spec, at, played, playing

pytestmark = pytest.mark.anyio

VERSIONS = {"manim": "0.22.0"}
"""As in the scripted executor's reports."""


@pytest.fixture
def executor() -> ScriptedExecutor:
    executor = ScriptedExecutor()
    executor.fingerprint = dict(VERSIONS)
    return executor


@pytest.fixture
async def service(anyio_backend: str, serve: Serve) -> AsyncIterator[RenderService]:
    async with serve(render_slots=2) as running:
        yield running


async def rendered(service: RenderService, executor: ScriptedExecutor, tenant: str = "t", **fields: Any) -> Render:
    """Submit what has to be rendered, and let it succeed."""
    mode = fields.pop("cache", CacheMode.use)
    render = await service.submit(a_spec(**fields), tenant=tenant, cache=mode)
    performance = await executor.begun.get()
    performance.say(*GREETING, at(100), played(0, 10), playing(1), at(0, 1), at(60, 1), at(100, 1), played(1, 20))
    performance.succeed()
    render = await service.wait(render.id, tenant=tenant, timeout=PATIENCE)
    assert render.status is RenderStatus.succeeded
    return render


async def submitted(service: RenderService, tenant: str = "t", **fields: Any) -> Render:
    return await service.submit(a_spec(**fields), tenant=tenant)


async def test_other_params_are_another_request(service: RenderService, executor: ScriptedExecutor) -> None:
    await rendered(service, executor, params={"name": "Ada"})
    assert (await submitted(service, params={"name": "Ada"})).cache.hit == "result"
    assert (await rendered(service, executor, params={"name": "Bo"})).cache.hit == "none"


async def test_other_files_are_another_request(service: RenderService, executor: ScriptedExecutor) -> None:
    await rendered(service, executor, files={"a.py": "x = 1"})
    assert (await submitted(service, files={"a.py": "x = 1"})).cache.hit == "result"
    for files in ({}, {"a.py": "x = 2"}, {"b.py": "x = 1"}):
        assert (await rendered(service, executor, files=files)).cache.hit == "none"


async def test_the_same_request_again_has_ended_when_it_is_taken(
    service: RenderService, executor: ScriptedExecutor, tmp_path: Path
) -> None:
    first = await rendered(service, executor)
    again = await service.submit(a_spec(timeout=5), tenant="t", metadata={"n": 2})
    assert again.status is RenderStatus.succeeded
    assert executor.begun.empty()
    assert again.id != first.id
    assert first.result is not None
    assert again.result is not None
    assert again.result.model_dump() == first.result.model_dump()
    assert again.metadata == {"n": 2}
    assert (again.executor, again.attempt, again.fingerprint) == ("scripted", 1, VERSIONS)
    assert first.cache.model_dump() == {"hit": "none", "animations_reused": 0, "animations_rendered": 1}
    assert again.cache.model_dump() == {"hit": "result", "animations_reused": 1, "animations_rendered": 0}
    assert again.cost is not None
    assert again.cost.usd_estimate == 0
    assert "draw" not in again.timings
    assert (first.drawing, again.drawing) == (DRAWING, None)
    assert not list((tmp_path / "data" / "work").glob("*/*"))
    # They show one video; what becomes of one of them is nothing to the other.
    videos = tmp_path / "data" / "videos"
    await service.delete(first.id, tenant="t")
    assert [path.read_bytes() for path in videos.rglob("*.mp4")] == [VIDEO]
    await service.delete(again.id, tenant="t")
    assert not list(videos.iterdir())
    assert (await submitted(service)).cache.hit == "result", "the cache has it as well"


async def test_listeners_hear_of_each_play(service: RenderService, executor: ScriptedExecutor) -> None:
    await rendered(service, executor)
    again = await submitted(service)
    assert [short(event) for event in await heard(service, again.id)] == [
        *(("running", "scripted", 1), ("segment", 0, 10), ("segment", 1, 20), ("progress", 0, 100), ("succeeded",)),
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"code": "class B(Scene): pass"},
        {"scene": "A"},
        {"seed": 1},
        {"quality": "low"},
        {"frame_rate": 12},
        {"background_color": "RED"},
        {"encoder_preset": "medium"},
        {"animations": [0, 1]},
        {"tenant": "other"},
    ],
)
async def test_another_request_is_rendered(
    service: RenderService, executor: ScriptedExecutor, other: dict[str, Any]
) -> None:
    await rendered(service, executor)
    render = await rendered(service, executor, **other)
    assert render.cache.hit == "none"


@pytest.mark.parametrize("versions", [{"manim": "0.22.1"}, VERSIONS | {"fonts": "others"}, None])
async def test_with_other_versions_of_the_engine_it_is_rendered(
    service: RenderService, executor: ScriptedExecutor, versions: dict[str, str] | None
) -> None:
    await rendered(service, executor)
    executor.fingerprint = versions
    assert (await rendered(service, executor)).cache.hit == "none"


async def test_with_other_limits_it_is_rendered(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve() as service:
        await rendered(service, executor)
    async with serve(max_duration=5) as service:
        await rendered(service, executor)


async def test_it_is_there_after_a_restart(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve() as service:
        await rendered(service, executor)
    async with serve() as service:
        assert (await submitted(service)).cache.hit == "result"


@pytest.mark.parametrize("fields", [{"result_cache": "off"}, {"result_cache_mib": 0}])
async def test_the_operator_may_have_nothing_kept(
    serve: Serve, executor: ScriptedExecutor, fields: dict[str, Any], tmp_path: Path
) -> None:
    async with serve(**fields) as service:
        await rendered(service, executor)
        await rendered(service, executor)
    assert not (tmp_path / "data" / "cache").exists()


async def test_off_neither_uses_nor_keeps(service: RenderService, executor: ScriptedExecutor) -> None:
    first = await rendered(service, executor, cache=CacheMode.off)
    assert first.spec["cache"] == "off"
    await rendered(service, executor)
    await rendered(service, executor, cache=CacheMode.off)


async def test_refresh_renders_and_keeps_that(service: RenderService, executor: ScriptedExecutor) -> None:
    await rendered(service, executor)
    anew = await service.submit(a_spec(), tenant="t", cache=CacheMode.refresh)
    performance = await executor.begun.get()
    performance.say(*GREETING, at(100), played(0, 15))
    performance.succeed()
    await service.wait(anew.id, tenant="t", timeout=PATIENCE)
    again = await submitted(service)
    assert [one for one in map(short, await heard(service, again.id)) if one[0] == "segment"] == [("segment", 0, 15)]


async def test_failures_are_not_kept(service: RenderService, executor: ScriptedExecutor) -> None:
    for _ in range(2):
        render = await submitted(service)
        (await executor.begun.get()).fail(ErrorCode.timeout)
        assert (await service.wait(render.id, tenant="t", timeout=PATIENCE)).status is RenderStatus.failed
    await rendered(service, executor)


@pytest.mark.parametrize("harm", ["video", "note", "gone"])
async def test_a_damaged_result_is_rendered_anew(
    service: RenderService, executor: ScriptedExecutor, tmp_path: Path, harm: str
) -> None:
    first = await rendered(service, executor)
    await service.delete(first.id, tenant="t")
    kept = tmp_path / "data" / "cache" / "results"
    (video,) = kept.rglob("video.mp4")
    if harm == "video":
        video.unlink()
        video.write_bytes(VIDEO.upper())
    elif harm == "note":
        (video.parent / "note").write_text("nothing")
    else:
        video.unlink()
    anew = await rendered(service, executor)
    assert anew.result is not None
    assert first.result is not None
    assert anew.result.sha256 == first.result.sha256
    assert (await submitted(service)).cache.hit == "result"


@pytest.mark.parametrize("harm", ["replaced", "gone"])
async def test_a_damaged_video_answers_for_nobody_else(
    service: RenderService, executor: ScriptedExecutor, tmp_path: Path, harm: str
) -> None:
    first = await rendered(service, executor)
    shutil.rmtree(tmp_path / "data" / "cache")
    video = tmp_path / "data" / "videos" / first.id / "video.mp4"
    video.unlink()
    if harm == "replaced":
        video.write_bytes(VIDEO.upper())
    anew = await rendered(service, executor)
    assert anew.cache.hit == "none"
    assert (await submitted(service)).cache.hit == "result"


async def test_a_hit_needs_no_slot_and_no_place_in_the_queue(serve: Serve, executor: ScriptedExecutor) -> None:
    async with serve(render_slots=1, queue_limit=0) as service:
        await rendered(service, executor)
        busy = await submitted(service, seed=9)
        performance = await executor.begun.get()
        assert (await submitted(service)).status is RenderStatus.succeeded
        performance.succeed()
        await service.wait(busy.id, tenant="t", timeout=PATIENCE)


async def test_the_same_at_once_is_rendered_once(service: RenderService, executor: ScriptedExecutor) -> None:
    first, *others = [await submitted(service) for _ in range(4)]
    performance = await executor.begun.get()
    assert (await service.queue_depth()) == (3, 1)
    other = await submitted(service, seed=9)  # is held up by none of them
    (await executor.begun.get()).succeed()
    assert (await service.wait(other.id, tenant="t", timeout=PATIENCE)).cache.hit == "none"
    performance.succeed()
    assert (await service.wait(first.id, tenant="t", timeout=PATIENCE)).cache.hit == "none"
    for render in others:
        assert (await service.wait(render.id, tenant="t", timeout=PATIENCE)).cache.hit == "result"
    assert executor.begun.empty()


async def test_one_that_waits_for_another_may_be_canceled(service: RenderService, executor: ScriptedExecutor) -> None:
    first, second = await submitted(service), await submitted(service)
    performance = await executor.begun.get()
    assert (await service.cancel(second.id, tenant="t")).status is RenderStatus.canceled
    await service.cancel(first.id, tenant="t")
    await performance.over.wait()
    await rendered(service, executor)


async def test_many_at_once_all_get_the_result(service: RenderService, executor: ScriptedExecutor) -> None:
    await rendered(service, executor)
    renders = await asyncio.gather(*(submitted(service) for _ in range(20)))
    assert {render.cache.hit for render in renders} == {"result"}
    assert len({render.id for render in renders}) == 20


async def test_many_at_once_all_get_what_is_kept_of_a_video_that_was_deleted(
    service: RenderService, executor: ScriptedExecutor
) -> None:
    first = await rendered(service, executor)
    await service.delete(first.id, tenant="t")
    taken = await asyncio.gather(*(submitted(service) for _ in range(20)))
    renders = [await service.wait(render.id, tenant="t", timeout=PATIENCE) for render in taken]
    assert {(render.status, render.cache.hit) for render in renders} == {(RenderStatus.succeeded, "result")}
    assert executor.begun.empty()


async def test_another_tenant_learns_nothing(service: RenderService, executor: ScriptedExecutor) -> None:
    await rendered(service, executor)
    theirs = await submitted(service, tenant="other")
    performance = await executor.begun.get()  # neither the result nor the wait for one is shared
    performance.succeed()
    ended = await service.wait(theirs.id, tenant="other", timeout=PATIENCE)
    assert ended.cache.hit == "none"
