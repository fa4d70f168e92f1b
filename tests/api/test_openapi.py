"""The OpenAPI document holds what the contract fixes, and every reference in it leads somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Api

pytestmark = pytest.mark.anyio


@pytest.fixture
async def document(api: Api) -> dict[str, Any]:
    answer = await api.client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


async def test_every_reference_leads_somewhere(document):
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert names >= {"VideoRequest", "RenderRequest", "Render", "SceneError", "ProblemDetails"}
    assert names <= document["components"]["schemas"].keys()


async def test_the_fields_of_the_original_endpoint(document):
    schema = document["components"]["schemas"]["VideoRequest"]
    assert set(schema["properties"]) == {
        "code",
        "file_class",
        "rendering_engine",
        "quality",
        "aspect_ratio",
        "stream",
    }
    assert schema["required"] == ["code"]
    assert schema["examples"]
    operation = document["paths"]["/v1/video/rendering"]["post"]
    assert set(operation["responses"]) >= {"200", "400", "401", "413", "415", "422", "429", "500", "503", "504"}
    assert {"application/json", "application/x-ndjson"} <= operation["responses"]["200"]["content"].keys()


async def test_the_examples_are_accepted(api: Api, document):
    for path, name in (("/v1/video/rendering", "VideoRequest"), ("/v1/renders", "RenderRequest")):
        for example in document["components"]["schemas"][name]["examples"]:
            answer = await api.post(path, json=example, headers={"prefer": "wait=30"})
            assert answer.status_code == 200, answer.text


async def test_what_is_not_required_may_be_null(document):
    for name in ("VideoRequest", "RenderRequest"):
        schema = document["components"]["schemas"][name]
        optional = schema["properties"].keys() - set(schema["required"])
        assert optional
        for field in optional:
            assert {"type": "null"} in schema["properties"][field]["anyOf"], field


async def test_a_wrong_method_is_told_all_that_are_right(api: Api):
    for path, methods in (("/v1/renders", "GET, POST"), ("/v1/renders/rnd_1", "DELETE, GET"), ("/livez", "GET")):
        answer = await api.client.put(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


async def test_the_lines_of_a_stream_are_described(document):
    operation = document["paths"]["/v1/video/rendering"]["post"]
    shapes = operation["responses"]["200"]["content"]["application/x-ndjson"]["schema"]["anyOf"]
    names = [shape["$ref"].rpartition("/")[2] for shape in shapes]
    assert names == ["ProgressLine", "AttemptLine"]
    properties = [set(document["components"]["schemas"][name]["properties"]) for name in names]
    assert properties == [{"animationIndex", "percentage"}, {"executor", "attempt"}]


async def test_where_a_render_may_run_is_described(document):
    schemas = document["components"]["schemas"]
    assert schemas["RenderRequest"]["properties"]["executor"]["anyOf"] == [
        {"enum": ["auto", "local", "modal"], "type": "string"},
        {"type": "null"},  # the default
    ]
    assert "executor" not in schemas["VideoRequest"]["properties"]


async def test_what_a_video_answers_is_what_is_described(api: Api, document):
    answer = await api.post("/v1/video/rendering", json={"code": "class A(Scene): pass"})
    schemas = document["components"]["schemas"]
    assert answer.json().keys() == schemas["VideoResult"]["properties"].keys()
    assert answer.json()["cost"].keys() == schemas["RenderCost"]["properties"].keys()


async def test_what_a_render_answers_is_what_is_described(api: Api, document):
    answer = await api.post("/v1/renders", json={"code": "class A(Scene): pass"}, headers={"prefer": "wait=30"})
    schemas = document["components"]["schemas"]
    assert answer.json().keys() == schemas["Render"]["properties"].keys()
    assert answer.json()["result"].keys() == schemas["RenderResult"]["properties"].keys()
    health = await api.client.get("/v1/health")
    assert health.json().keys() == schemas["Health"]["properties"].keys()


async def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all("HTTPValidationError" not in json.dumps(operation) for _, operation in operations(document))


async def test_no_page_loads_scripts_from_elsewhere(api: Api):
    for path in ("/docs", "/redoc"):
        assert (await api.client.get(path)).status_code == 404
