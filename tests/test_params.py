"""Parameters of a scene: JSON within bounds, and refusals that name the place."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from manimcast.params import MAX_BYTES, MAX_DEPTH
from manimcast.spec import RenderSpec


def spec(params: Any) -> RenderSpec:
    return RenderSpec(code="class Demo(Scene): pass", params=params)


def nested(depth: int) -> dict[str, Any]:
    value: Any = "deep"
    for _ in range(depth - 1):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": "Ada", "scores": [1, 2.5, -0.0, None, True], "of": {"": {}}, "größe": "\u0000😀"},
        {"large": 10**40},
        {"text": "x" * (MAX_BYTES - len('{"text":""}'))},
        nested(MAX_DEPTH),
    ],
)
def test_json_arrives_as_it_was_sent(params: dict[str, Any]) -> None:
    assert spec(params).params == params
    assert RenderSpec.model_validate_json(spec(params).model_dump_json()).params == params


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"text": "x" * MAX_BYTES}, f"params must not be longer than {MAX_BYTES} bytes as JSON; it has 65547"),
        (nested(MAX_DEPTH + 1), f"params must not be nested more than {MAX_DEPTH} levels deep"),
        ({"rows": [1, {"x": float("nan")}]}, "params.rows[1].x must be a finite number"),
        ({"a": float("inf")}, "params.a must be a finite number"),
        ({"a": "\ud800"}, "params.a is not valid Unicode text"),
        ({"a": {"\ud800": 1}}, "params.a is not valid Unicode text"),
        ({"a": {1: 2}}, "params.a must have names that are text"),
        ({"a": b"bytes"}, "params.a must be text, a number, true, false, null, a list or an object"),
        ([1], "valid dictionary"),
    ],
)
def test_what_is_no_such_object_is_refused_by_name(params: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        spec(params)
