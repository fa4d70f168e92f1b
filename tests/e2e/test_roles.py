"""Real processes in roles, on one folder and SQLite, and on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import QUICK, VIDEO, scene
from tests.e2e.server import Server, ended, serving
from tests.patience import until
from tests.postgres import running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The settings of a database that several processes share."""
    if request.param == "sqlite":
        yield {}
    else:
        with running() as server:
            yield {"database_url": server.fresh(), "shared_data_dir": 1}


def ready(server: Server) -> bool:
    with server.client() as client:
        return client.get("/readyz").status_code == 200


def test_an_api_takes_what_a_worker_renders_and_another_takes_over(tmp_path: Path, database: dict[str, Any]) -> None:
    settings = {"render_slots": 1, "lease_ttl": 3} | database
    data = tmp_path / "data"
    with serving(data, role="api", **settings) as api, api.client() as client:
        health = client.get("/v1/health")
        assert (health.status_code, health.json()["role"], health.json()["executors"]) == (503, "api", {})
        assert client.get("/readyz").status_code == 503
        refused = client.post("/v1/renders", json={"code": QUICK})
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:manimcast:problem:no-executor")
        assert "--role worker" in refused.json()["detail"]
        with serving(data, role="worker", **settings) as first:
            until(lambda: ready(first), "a worker")
            answer = client.post(VIDEO, json={"code": QUICK, "quality": "low"})
            assert answer.status_code == 200, answer.text
            assert client.get(answer.json()["video_url"]).headers["content-type"] == "video/mp4"
            assert len(api.processes()) == 1, "it runs nothing"
            endless = {"code": scene("self.wait(0.1)", "while True: pass"), "quality": "low"}
            path = client.post("/v1/renders", json=endless).headers["location"]
            until(lambda: client.get(path).json()["status"] == "running", "its start")
            with serving(data, role="worker", **settings):
                first.process.kill()
                first.process.wait()
                until(lambda: client.get(path).json()["attempt"] == 2, "the second worker")
                assert client.post(f"{path}/cancel").json()["status"] == "canceled"
                assert ended(client, {"code": scene("self.wait(0.2)"), "quality": "low"})["status"] == "succeeded"
        until(lambda: client.get("/readyz").status_code == 503, "the end of all workers")


def test_equal_requests_to_two_services_cost_one_render(tmp_path: Path, database: dict[str, Any]) -> None:
    settings = {"render_slots": 2, "lease_ttl": 3, "queue_limit": 2} | database
    data = tmp_path / "data"
    with (
        serving(data, role="worker", **settings) as worker,
        serving(data, role="api", **settings) as one,
        serving(data, role="api", **settings) as two,
        one.client() as first,
        two.client() as second,
    ):
        until(lambda: ready(worker), "the worker")
        ended(first, {"code": QUICK, "quality": "low"})
        for client in (first, second):  # once they know what the worker renders with
            until(lambda: ended(client, {"code": QUICK, "quality": "low"})["cache"]["hit"] == "result", "a hit")  # noqa: B023
        same = {"code": scene("self.play(Create(Square()))", "self.wait(0.5)"), "quality": "low"}
        with ThreadPoolExecutor(10) as threads:
            asked = [threads.submit(ended, (first, second)[number % 2], same) for number in range(20)]
            renders = [each.result() for each in asked]
        assert {render["status"] for render in renders} == {"succeeded"}
        assert sorted(render["cache"]["hit"] for render in renders) == ["none"] + ["result"] * 19
        assert len({render["result"]["sha256"] for render in renders}) == 1
        for number, render in enumerate(renders):
            video = (second, first)[number % 2].get(render["result"]["video_url"])
            assert video.status_code == 200
            assert first.delete(f"/v1/renders/{render['id']}").status_code == 204
        assert second.get(renders[0]["result"]["video_url"]).status_code == 404


def test_a_worker_only_answers_for_its_health(tmp_path: Path) -> None:
    # No API keys are needed where nobody can ask for anything.
    with (
        serving(tmp_path / "data", role="worker", host="0.0.0.0") as server,
        httpx.Client(base_url=server.address.replace("0.0.0.0", "127.0.0.1")) as client,
    ):
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/v1/health").json()["role"] == "worker"
        for path in (VIDEO, "/v1/renders", "/v1/scenes/inspect"):
            assert client.post(path, json={"code": QUICK}).status_code == 404
        assert set(client.get("/openapi.json").json()["paths"]) == {"/livez", "/readyz", "/v1/health"}
