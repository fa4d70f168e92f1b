"""The original endpoint, answered as its clients know it."""

from __future__ import annotations

import asyncio

import pytest

from manimcast.executors.base import ExecutorError
from manimcast.spec import ErrorCode, SceneError
from manimcast.wire import Failed
from tests.patience import PATIENCE, eventually
from tests.renders.scripted import GREETING, VIDEO

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

PATH = "/v1/video/rendering"
CODE = "class A(Scene):\n    def construct(self):\n        self.wait()\n"


async def test_a_finished_video(api: Api):
    answer = await api.post(PATH, json={"code": CODE, "quality": "low", "user_id": "u1", "iteration": 3})
    assert answer.status_code == 200
    body = answer.json()
    assert body["message"] == "Video generation completed"
    assert body["executor"] == "scripted"
    assert body["cost"]["usd_estimate"] > 0
    assert " s x (2 cores x $0.5 + 4 GiB x $0.25)" in body["cost"]["basis"]
    assert body["processingTime"] >= 0
    assert body["video_url"].startswith(f"http://localhost/v1/files/{body['render_id']}/video.mp4?")
    video = await api.client.get(body["video_url"])
    assert (video.status_code, video.content, video.headers["content-type"]) == (200, VIDEO, "video/mp4")


async def test_null_means_default_and_short_names_work(api: Api):
    request = {"code": CODE, "quality": None, "file_class": None, "aspect_ratio": "1:1", "stream": None}
    await api.post(PATH, json=request)
    answer = await api.post(PATH, json={"code": CODE, "quality": "fourk", "rendering_engine": "opengl"})
    spec = (await api.context.renders.get(answer.json()["render_id"], tenant="anonymous")).spec
    assert (spec["quality"], spec["engine"], spec["aspect_ratio"]) == ("fourk_quality", "opengl", "16:9")


async def test_the_fields_mean_what_they_say(api: Api):
    answer = await api.post(PATH, json={"code": CODE, "file_class": "A", "aspect_ratio": "4:5"})
    spec = (await api.context.renders.get(answer.json()["render_id"], tenant="anonymous")).spec
    assert (spec["scene"], spec["quality"], spec["aspect_ratio"]) == ("A", "medium_quality", "4:5")


@pytest.mark.parametrize("body", [{}, {"code": None}, {"code": ""}, {"code": " \n\t"}])
async def test_no_code(api: Api, body):
    answer = await api.client.post(PATH, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "No code provided"
    assert answer.json()["errors"] == [{"field": "code", "message": "No code provided"}]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"code": 5}, "code must be a string"),
        ({"code": "x = 1\ny = '\0'\n"}, "code must not have a NUL character (\\u0000); line 2 has one"),
        ({"quality": "best"}, "quality must be one of low_quality, medium_quality, high_quality, "),
        ({"rendering_engine": "webgl"}, "rendering_engine must be one of cairo or opengl"),
        ({"aspect_ratio": "2:1"}, "aspect_ratio must be one of 16:9, 9:16, 1:1, 4:3 or 4:5"),
        ({"stream": "yes"}, "stream must be true or false"),
        ({"file_class": ["A"]}, "file_class must be a string"),
        ({"file_class": ""}, "file_class must not be empty"),
        ({"code": "#" * 300_000}, "code must not be longer than 262144 bytes; it has 300000"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, fields, message):
    answer = await api.client.post(PATH, json={"code": CODE, **fields})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)
    assert answer.json()["errors"][0]["field"] == next(iter(fields))
    assert await api.context.renders.queue_depth() == (0, 0)


async def test_every_wrong_field_is_named(api: Api):
    answer = await api.client.post(PATH, json={"quality": "best", "stream": 1})
    assert {error["field"] for error in answer.json()["errors"]} == {"code", "quality", "stream"}


async def test_limits_of_the_operator(start: Start):
    async with start(max_pixels=1280 * 720, max_frame_rate=30) as api:
        answer = await api.client.post(PATH, json={"code": CODE, "quality": "high"})
        assert answer.status_code == 400
        assert answer.json()["error"] == (
            "quality must not ask for more than 921600 pixels; 1920x1080 does; "
            "quality must not ask for more than 30 frames per second"
        )


@pytest.mark.parametrize(
    ("code", "status", "text"),
    [
        (ErrorCode.timeout, 504, "Compilation timed out"),
        (ErrorCode.internal, 500, "m"),
        *((code, 422, "m") for code in ErrorCode if code not in {"timeout", "internal", "canceled"}),
    ],
)
async def test_a_scene_that_fails(api: Api, code: ErrorCode, status: int, text: str):
    request = asyncio.ensure_future(api.client.post(PATH, json={"code": CODE}))
    error = SceneError(
        code=code,
        message="m",
        line=2,
        column=5,
        excerpt="> 2 | x",
        hint="h",
        traceback="Traceback:\n  line 2",
    )
    (await api.begun()).say(Failed(error=error))
    answer = await request
    assert answer.status_code == status
    body = answer.json()
    assert body["message"] == "Video generation failed"
    assert body["error"] == text
    assert body["details"] == ["m", "Line 2, column 5", "> 2 | x", "Hint: h", "Traceback:", "  line 2"]
    assert body["scene_error"]["code"] == code
    assert body["scene_error"]["type"] == "scene_error"


async def test_an_executor_that_fails_every_time(api: Api):
    request = asyncio.ensure_future(api.client.post(PATH, json={"code": CODE}))
    for _ in range(3):
        (await api.begun()).break_off(ExecutorError("the warm process died"))
    answer = await request
    assert answer.status_code == 503
    body = answer.json()
    assert body["error"] == "no executor could render it: scripted: failed 3 times, last: the warm process died"
    assert (body["scene_error"]["code"], body["scene_error"]["exception"]) == ("internal", "ExecutorError")
    assert body["message"] == "Video generation failed"


async def test_canceled_by_somebody_else(api: Api):
    request = asyncio.ensure_future(api.client.post(PATH, json={"code": CODE}))
    performance = await api.begun()
    await api.client.post(f"/v1/renders/{performance.render_id}/cancel")
    answer = await request
    assert answer.status_code == 409
    assert answer.json()["scene_error"]["code"] == "canceled"


async def test_a_full_queue(start: Start):
    async with start(queue_limit=0) as api:
        first = asyncio.ensure_future(api.client.post(PATH, json={"code": CODE}))
        performance = await api.begun()
        refused = await api.client.post(PATH, json={"code": CODE, "stream": True})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert "queue is full" in refused.json()["error"]
        performance.succeed()
        assert (await first).status_code == 200


async def test_nothing_to_render_with(api: Api):
    api.executor.unavailable = "bubblewrap is missing"
    answer = await api.client.post(PATH, json={"code": CODE})
    assert answer.status_code == 503
    assert "bubblewrap is missing" in answer.json()["error"]


async def test_the_service_stops_while_a_client_waits(api: Api):
    running = asyncio.ensure_future(api.client.post(PATH, json={"code": CODE}))
    performance = await api.begun()
    queued = asyncio.ensure_future(api.client.post(PATH, json={"code": CODE}))

    async def are_both_there() -> bool:
        return await api.context.renders.queue_depth() == (1, 1)

    await eventually(are_both_there, "one that runs and one that waits")
    stopping = asyncio.ensure_future(api.context.stop(grace=PATIENCE))
    performance.succeed()
    assert (await running).status_code == 200
    answer = await queued
    assert answer.status_code == 503
    assert "stays queued" in answer.json()["error"]
    assert answer.json()["render_id"].startswith("rnd_")
    await stopping
    assert (await api.client.post(PATH, json={"code": CODE})).status_code == 503


async def test_a_stream_in_memory(api: Api):
    request = asyncio.ensure_future(api.client.post(PATH, json={"code": CODE, "stream": True}))
    performance = await api.begun()
    performance.say(*GREETING)
    performance.succeed()
    answer = await request
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"


async def test_refusals_of_a_stream_keep_their_status(api: Api):
    answer = await api.client.post(PATH, json={"stream": True})
    assert (answer.status_code, answer.json()["error"]) == (400, "No code provided")
