"""``POST /v1/scenes/inspect``: what is taken, what is refused, what is answered."""

from __future__ import annotations

import asyncio

import pytest

from manimcast.executors.base import ExecutorError
from manimcast.inspection import Inspection, SceneInspection
from manimcast.spec import ErrorCode, SceneError
from tests.receivers import receiving
from tests.renders.test_inspections import DONE, DryExecutor

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

PATH = "/v1/scenes/inspect"
CODE = {"code": "class A(Scene): pass"}


async def test_the_answer_is_the_inspection(start: Start):
    executor = DryExecutor()
    error = SceneError(code=ErrorCode.exception, message="no", line=1)
    inspection = Inspection(scenes=("A",), reports=(SceneInspection(scene="A", error=error),))
    executor.answers.put_nowait(inspection)
    async with start(executor) as api:
        answer = await api.client.post(PATH, json={**CODE, "scene": "A", "quality": "low", "metadata": {"a": 1}})
        document = (await api.client.get("/openapi.json")).json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert Inspection.model_validate_json(answer.content) == inspection
    schemas = document["components"]["schemas"]
    assert answer.json().keys() == schemas["Inspection"]["properties"].keys()
    assert answer.json()["reports"][0].keys() == schemas["SceneInspection"]["properties"].keys()
    spec, _, _ = await executor.asked.get()
    assert (spec.scene, spec.pixel_size) == ("A", (854, 480))


UNUSED = {"priority": 3, "cache": "off", "metadata": {"a": 1}}
"""What has no meaning for a dry run, in a body that is meant for a render."""


async def test_the_body_of_a_render_is_taken_as_it_is(start: Start):
    executor = DryExecutor()
    executor.answers.put_nowait(DONE)
    async with receiving() as receiver, start(executor, webhook_allowed_networks="127.0.0.0/8") as api:
        answer = await api.client.post(PATH, json={**CODE, **UNUSED, "webhook": {"url": receiver.url}})
        assert answer.status_code == 200, answer.text
        # Nothing is left that could be told of.
        assert (await api.client.get("/v1/renders")).json()["renders"] == []
        assert receiver.got == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook": {"url": "http://127.0.0.1/"}},
        {"webhook": "https://example.org/"},
        {"metadata": [1]},
        {"priority": 11},
        {"cache": "never"},
    ],
)
async def test_what_a_render_would_refuse_is_refused_in_the_same_words(start: Start, wrong: dict[str, object]):
    async with start(DryExecutor()) as api:
        dry, real = [await api.client.post(path, json={**CODE, **wrong}) for path in (PATH, "/v1/renders")]
    assert dry.status_code == real.status_code == 422
    assert dry.json()["errors"] == real.json()["errors"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "code"),
        ({"code": " "}, 422, "code"),
        ({**CODE, "quality": "best"}, 422, "quality"),
        ({**CODE, "nonsense": 1}, 422, "nonsense"),
        ({**CODE, "timeout": 10_000}, 422, "timeout"),
        ([], 400, None),
    ],
)
async def test_a_wrong_request_is_refused(start: Start, body: object, status: int, field: str | None):
    async with start(DryExecutor()) as api:
        answer = await api.client.post(PATH, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])


async def test_a_service_that_cannot_says_so(api: Api):
    answer = await api.client.post(PATH, json=CODE)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith(":no-executor")
    assert "no executor of this service can run scenes dry" in answer.json()["detail"]


async def test_an_executor_at_fault_is_503(start: Start):
    executor = DryExecutor()
    executor.answers.put_nowait(ExecutorError("no sandbox here", again=False))
    async with start(executor) as api:
        answer = await api.client.post(PATH, json=CODE)
    assert answer.status_code == 503
    assert "no sandbox here" in answer.json()["detail"]


async def test_a_flood_is_held_back(start: Start):
    executor = DryExecutor()
    async with start(executor, queue_limit=0) as api:
        first = asyncio.ensure_future(api.client.post(PATH, json=CODE))
        await executor.asked.get()
        refused = await api.client.post(PATH, json=CODE)
        executor.answers.put_nowait(DONE)
        assert (await first).status_code == 200
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["type"].endswith(":queue-full")


async def test_it_needs_a_key_where_keys_are_set(start: Start):
    async with start(DryExecutor(), api_keys=("secret",)) as api:
        answer = await api.client.post(PATH, json=CODE)
    assert answer.status_code == 401


async def test_a_stopping_service_takes_none(start: Start):
    async with start(DryExecutor()) as api:
        api.context.drain()
        answer = await api.client.post(PATH, json=CODE)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith(":stopping")
