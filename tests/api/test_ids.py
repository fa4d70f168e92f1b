"""Ids in paths, whatever is put there: what does not exist is not found, on both databases; and other odd text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.routing import Route

from manimcast.api.app import EVERYTHING
from tests.renders.conftest import database_url, postgres

from .conftest import Start

__all__ = ["database_url", "postgres"]

pytestmark = pytest.mark.anyio

ODD = {
    "a NUL byte": "rnd_\0",
    "a NUL byte alone": "\0",
    "control characters": "rnd_\r\n\x1b[31m\x7f",
    "a byte that is no character": "%ff",
    "a lone surrogate": "%ed%a0%80",
    "overlong": "rnd_" + "0" * 5000,
    "a character beyond the first plane": "rnd_\U0001f600",
    "a way up": "..%2f..%2fetc",
    "quotes": "' OR '1'='1",
    "wildcards": "%25",
    "a space": " ",
    "the right form": "rnd_01m86ekrjsdecvqghvny6t95bv",
}
MISSING = {"render_id": "render-not-found", "batch_id": "batch-not-found", "asset_id": "asset-not-found"}


def routes() -> Iterator[tuple[str, str]]:
    """Yield method and path of every route that has an id in its path."""
    for router in EVERYTHING:
        for route in router.routes:
            if isinstance(route, Route) and "{" in route.path:
                for method in sorted(route.methods or ()):
                    yield method, route.path


def filled(path: str, value: str) -> str:
    """Return ``path`` with ``value`` in the place of every parameter; its percent signs are taken as they are."""
    return re.sub(r"\{[a-z_]+\}", lambda _: quote(value, safe="%"), path)


def test_every_resource_has_such_routes() -> None:
    assert {re.findall(r"\{([a-z_]+)\}", path)[0] for _, path in routes()} == MISSING.keys()
    assert len(set(routes())) > 20


async def test_odd_ids_are_not_found(start: Start, database_url: str | None) -> None:
    async with start(database_url=database_url, shared_data_dir=True) as api:
        for method, path in routes():
            for what, value in ODD.items():
                answer = await api.client.request(method, filled(path, value))
                said = f"{method} {path} with {what}: {answer.status_code} {answer.text[:500]}"
                if path.startswith("/v1/files/") and "%2f" not in value:
                    assert answer.status_code == 403, said  # whether there is such a file, only a genuine link is told
                    continue
                assert answer.status_code == 404, said
                if method == "HEAD":
                    continue
                problem = answer.json()
                expected = {MISSING[re.findall(r"\{([a-z_]+)\}", path)[0]]}
                if "%2f" in value:  # a slash, which may begin another path
                    expected.add("not-found")
                assert problem["type"].removeprefix("urn:manimcast:problem:") in expected, said
                assert problem["detail"].isprintable(), said
                assert len(problem["detail"]) < 600, said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/renders/bat_1", "there is no render 'bat_1'; ids of that form are in /v1/batches"),
        ("/v1/batches/rnd_1/video", "there is no batch 'rnd_1'; ids of that form are in /v1/renders"),
        ("/v1/renders/ast_1", "there is no render 'ast_1'; ids of that form are in /v1/assets"),
        ("/v1/renders/rnd_1", "there is no render 'rnd_1'"),
    ],
)
async def test_the_id_of_something_else_is_said_to_be_one(start: Start, path: str, said: str) -> None:
    async with start() as api:
        answer = await api.client.get(path)
        assert (answer.status_code, answer.json()["detail"]) == (404, said)


async def test_text_that_a_database_does_not_keep_is_kept_or_refused(start: Start, database_url: str | None) -> None:
    odd = "a\0\U0001f600"
    kept = {"params": {odd: odd}, "metadata": {odd: odd}, "files": {"a.txt": odd}, "scene": odd}
    async with start(database_url=database_url, shared_data_dir=True) as api:
        created = await api.client.post("/v1/renders", json={"code": "class A(Scene): pass", **kept})
        assert created.status_code == 202, created.text
        render = (await api.client.get(created.headers["location"], params={"include": "code"})).json()
        assert {name: render["spec"][name] for name in ("params", "files", "scene")} | {
            "metadata": render["metadata"]
        } == kept
        for path, body in (("renders", {"code": odd}), ("batches", {"renders": [{"code": odd}]})):
            refused = await api.client.post(f"/v1/{path}", json=body)
            assert refused.status_code == 422
            assert "must not have a NUL character" in refused.json()["detail"]


async def test_an_odd_id_does_not_go_before_the_key(start: Start) -> None:
    async with start(api_keys=("secret",)) as api:
        for method, path in routes():
            if not path.startswith("/v1/files/"):
                assert (await api.client.request(method, filled(path, "\0"))).status_code == 401
