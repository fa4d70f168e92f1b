"""Around every request: foreign pages, handlers with bugs, other origins."""

from __future__ import annotations

import logging
import sqlite3

import pytest

from manimcast.database import DatabaseError

from .conftest import Api, Start

pytestmark = pytest.mark.anyio

VIDEO = "/v1/video/rendering"
BODY = {"code": "class A(Scene): pass"}


@pytest.mark.parametrize("path", [VIDEO, "/v1/renders", "/livez", "/openapi.json"])
@pytest.mark.parametrize(
    ("headers", "kind", "remedy"),
    [
        ({"host": "evil.example"}, "wrong-host", "PUBLIC_URL"),
        ({"origin": "https://evil.example"}, "wrong-origin", "CORS_ORIGINS"),
        ({"origin": "null"}, "wrong-origin", "CORS_ORIGINS"),
    ],
)
async def test_a_web_page_is_refused_and_told_why(api: Api, path: str, headers, kind: str, remedy: str):
    answer = await api.client.post(path, json=BODY, headers=headers)
    assert answer.status_code == 403
    if path == VIDEO:
        assert list(answer.json()) == ["error"]
        assert remedy in answer.json()["error"]
    else:
        assert answer.json()["type"] == f"urn:manimcast:problem:{kind}"
        assert remedy in answer.json()["detail"]
    assert await api.context.renders.queue_depth() == (0, 0)


async def test_listed_origins_may_call_and_read(start: Start):
    page = {"origin": "https://app.example"}
    async with start(cors_origins="https://app.example") as api:
        asked = await api.client.options(
            VIDEO,
            headers={
                **page,
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type,x-api-key",
            },
        )
        assert asked.status_code == 200
        for method, header in (("POST", "idempotency-key"), ("GET", "last-event-id"), ("DELETE", "x-api-key")):
            wanted = {"access-control-request-method": method, "access-control-request-headers": header}
            assert (await api.client.options("/v1/renders/rnd_1", headers=page | wanted)).status_code == 200
        answer = await api.post(VIDEO, json=BODY, headers=page)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        refused = await api.client.post(VIDEO, json={}, headers=page)
        assert refused.status_code == 400
        assert refused.headers["access-control-allow-origin"] == "https://app.example"


@pytest.mark.parametrize("path", [VIDEO, "/v1/renders"])
async def test_a_bug_answers_500_with_an_id_that_is_in_the_log(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret internals")

    monkeypatch.setattr(api.context.renders, "submit", broken)
    answer = await api.client.post(path, json=BODY)
    assert answer.status_code == 500
    error_id = answer.json()["error_id"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert error_id in answer.json()["error" if path == VIDEO else "detail"]
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.error_id == error_id  # type: ignore[attr-defined]
    assert record.exc_info is not None
    assert "secret internals" in str(record.exc_info[1])


@pytest.mark.parametrize("path", [VIDEO, "/v1/renders"])
async def test_a_table_that_cannot_be_written(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def full(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("the database /home/secret cannot be used") from sqlite3.OperationalError("disk is full")

    monkeypatch.setattr(api.context.renders, "submit", full)
    answer = await api.client.post(path, json=BODY)
    assert answer.status_code == 503
    assert "disk is full" in answer.text
    assert "secret" not in answer.text
    assert "/home/secret" in caplog.text
    assert answer.headers["retry-after"] == "30"


async def test_no_answer_is_guessed_at(api: Api):
    for path in ("/livez", "/v1/nowhere", "/v1/renders/x"):
        assert (await api.client.get(path)).headers["x-content-type-options"] == "nosniff"
