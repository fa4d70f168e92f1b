"""Real processes in roles, on one folder and SQLite, and on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
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
