"""Bodies that are not what they should be."""

from __future__ import annotations

import json

import pytest

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
PATHS = ["/v1/video/rendering", "/v1/renders"]


def detail(answer) -> str:
    body = answer.json()
    if answer.request.url.path == "/v1/video/rendering":
        return body["error"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert body["instance"] == answer.request.url.path
    assert body["type"].startswith("urn:manimcast:problem:")
    assert body["title"]
    return body["detail"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the body must be JSON: EOF"),
        (b"{", "the body must be JSON: EOF"),
        (b"nonsense", "the body must be JSON"),
        (b'{"code": NaN}', "the body must be JSON"),
        (b'{"code": "\\ud800"}', "the body must be JSON"),
        (b"[]", "the body must be a JSON object; it is a list"),
        (b'"code"', "the body must be a JSON object; it is a string"),
        (b'{"code": "\xff"}', "the body must be UTF-8; byte 10 is not"),
        ('{"code": "x"}'.encode("utf-16"), "the body must be UTF-8; byte 0"),
        (b"[" * 5000, "the body must be JSON: nested too deeply"),
        (b'{"metadata": ' * 500 + b"1" + b"}" * 500, "the body must be JSON: nested too deeply"),
    ],
)
async def test_what_is_not_json(api: Api, path: str, content: bytes, message: str):
    answer = await api.client.post(path, content=content, headers=JSON)
    assert answer.status_code == 400
    assert detail(answer).startswith(message)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_must_be_declared_as_json(api: Api, path: str, kind: str | None):
    headers = {"content-type": kind} if kind else {}
    answer = await api.client.post(path, content=json.dumps({"code": "x"}).encode(), headers=headers)
    assert answer.status_code == 415
    assert detail(answer) == "Content-Type must be application/json"


async def test_a_byte_order_mark_and_a_charset_do_no_harm(api: Api):
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = await api.post("/v1/video/rendering", content=b'\xef\xbb\xbf{"code": "\xc3\xa4"}', headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_the_limit_counts_bytes(start: Start, path: str):
    body = json.dumps({"code": "#" * 2000}).encode()
    async with start(max_body_bytes=len(body)) as api:
        assert (await api.client.post(path, content=body + b" ", headers=JSON)).status_code == 413
        assert (await api.post(path, content=body, headers=JSON)).status_code in {200, 202}
