"""Several executors as clients see them: what they may ask for, the line of a fallback, who is to blame."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest

from manimcast.executors.base import ExecutorError
from manimcast.settings import LogFormat
from manimcast.telemetry import configure
from tests.patience import PATIENCE
from tests.renders.scripted import GREETING, ScriptedExecutor, at, playing

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

PATH = "/v1/video/rendering"
CODE = "class A(Scene): pass"


@pytest.fixture
def modal() -> ScriptedExecutor:
    return ScriptedExecutor("modal", tries=1)


@pytest.fixture
def local() -> ScriptedExecutor:
    return ScriptedExecutor("local", tries=1)


@pytest.fixture
async def both(
    anyio_backend: str, start: Start, modal: ScriptedExecutor, local: ScriptedExecutor
) -> AsyncIterator[Api]:
    async with start(modal, local) as running:
        yield running


async def test_a_stream_that_had_progress_tells_of_its_fallback_and_begins_again(
    both: Api, modal: ScriptedExecutor, local: ScriptedExecutor
):
    request = asyncio.ensure_future(both.client.post(PATH, json={"code": CODE, "stream": True}))
    first = await modal.begun.get()
    first.say(*GREETING, at(100), playing(1), at(30, 1))
    first.break_off(ExecutorError("the container was lost"))
    second = await local.begun.get()
    second.say(*GREETING)
    second.succeed()
    answer = await request
    assert answer.status_code == 200
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[:-1] == [
        {"animationIndex": 0, "percentage": 0},
        {"animationIndex": 0, "percentage": 100},
        {"animationIndex": 1, "percentage": 0},
        {"animationIndex": 1, "percentage": 30},
        {"executor": "local", "attempt": 2},
        {"animationIndex": 0, "percentage": 0},
        {"animationIndex": 0, "percentage": 100},
    ]
    assert lines[-1]["executor"] == "local"
    assert lines[-1]["video_url"]


async def test_a_plain_answer_names_the_executor_that_succeeded(
    both: Api, modal: ScriptedExecutor, local: ScriptedExecutor
):
    request = asyncio.ensure_future(both.client.post(PATH, json={"code": CODE}))
    (await modal.begun.get()).break_off(ExecutorError("the container was lost"))
    (await local.begun.get()).succeed()
    answer = await request
    assert (answer.status_code, answer.json()["executor"]) == (200, "local")


@pytest.mark.parametrize("stream", [False, True])
async def test_when_no_executor_can_it_is_not_the_scenes_fault(
    both: Api, modal: ScriptedExecutor, local: ScriptedExecutor, stream: bool
):
    request = asyncio.ensure_future(both.client.post(PATH, json={"code": CODE, "stream": stream}))
    performance = await modal.begun.get()
    local.unavailable = "manim is not installed"
    performance.break_off(ExecutorError("the container was lost"))
    answer = await request
    assert answer.status_code == (200 if stream else 503)
    body = json.loads(answer.text.splitlines()[-1])
    said = "no executor could render it: modal: the container was lost; local: manim is not installed"
    assert (body["error"], body["details"]) == (said, [said])
    assert (body["scene_error"]["code"], body["scene_error"]["exception"]) == ("internal", "ExecutorError")
    render = (await both.client.get(f"/v1/renders/{body['render_id']}")).json()
    assert (render["status"], render["error"]["code"]) == ("failed", "internal")


@pytest.mark.parametrize(
    ("asked", "runs"), [("auto", "modal"), ("modal", "modal"), ("local", "local"), (None, "modal")]
)
async def test_where_a_render_runs_can_be_asked_for(
    both: Api, modal: ScriptedExecutor, local: ScriptedExecutor, asked: str | None, runs: str
):
    request = asyncio.ensure_future(
        both.client.post("/v1/renders", json={"code": CODE, "executor": asked}, headers={"prefer": "wait=60"})
    )
    (await {"modal": modal, "local": local}[runs].begun.get()).succeed()
    answer = (await request).json()
    assert (answer["status"], answer["executor"]) == ("succeeded", runs)
    assert answer["spec"]["executor"] == (asked or "auto")
    assert answer["cost"]["usd_estimate"] > 0
    assert answer["cost"]["basis"]


async def test_modal_where_it_is_off_is_refused_with_what_to_set(start: Start, local: ScriptedExecutor):
    async with start(local) as api:
        answer = await api.client.post("/v1/renders", json={"code": CODE, "executor": "modal"})
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:manimcast:problem:no-executor"
        assert "USE_MODAL=true" in answer.json()["detail"]
        assert await api.context.renders.queue_depth() == (0, 0)


async def test_the_original_endpoint_does_not_let_itself_be_told_where(
    both: Api, modal: ScriptedExecutor, local: ScriptedExecutor
):
    request = asyncio.ensure_future(both.client.post(PATH, json={"code": CODE, "executor": "local"}))
    (await modal.begun.get()).succeed()
    assert (await request).json()["executor"] == "modal"
    assert local.begun.empty()


@pytest.mark.parametrize("log_format", list(LogFormat))
async def test_log_lines_of_a_fallback_name_the_render(
    both: Api, modal: ScriptedExecutor, local: ScriptedExecutor, log_format: LogFormat
):
    stream = io.StringIO()
    configure(log_format, "INFO", stream=stream)
    created = await both.client.post("/v1/renders", json={"code": CODE})
    render_id = created.json()["id"]
    (await modal.begun.get()).break_off(ExecutorError("the container was lost"))
    (await local.begun.get()).break_off(ExecutorError("no disk"))
    await both.context.renders.wait(render_id, tenant="anonymous", timeout=PATIENCE)
    lines = stream.getvalue().splitlines()
    fallback = "Modal failed: the container was lost. Falling back to local rendering."
    end = "Local failed: no disk. Nothing is left to render it."
    if log_format is LogFormat.console:
        assert f"[WARNING] {fallback} render_id={render_id}" in lines
        assert f"[ERROR] {end} render_id={render_id}" in lines
    else:
        told = {line["message"]: (line["level"], line.get("render_id")) for line in map(json.loads, lines)}
        assert told[fallback] == ("warning", render_id)
        assert told[end] == ("error", render_id)
