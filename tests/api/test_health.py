"""Health tells the truth, and never waits."""

from __future__ import annotations

import pytest

from manimcast.api.warnings import OPEN, UNCONFINED, announce, warnings
from manimcast.executors.base import ExecutorStatus
from manimcast.settings import Settings
from tests.renders.scripted import ScriptedExecutor

from .conftest import Api, Start

pytestmark = pytest.mark.anyio


async def test_the_shape_of_the_contract(api: Api):
    answer = await api.client.get("/v1/health")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "healthy"
    assert (body["modal_enabled"], body["modal_available"]) == (False, "N/A")
    assert body["modal_tokens"].startswith("❌ Missing - ")
    assert body["modal_health"].startswith("❌ Error: ")
    assert body["storage"] == "local"
    assert set(body["sandbox"]) >= {"tier", "layers"}
    assert body["versions"]["manimcast"]
    assert body["queue"] == {"queued": 0, "running": 0, "slots": 1, "limit": 100}


async def test_the_queue_is_counted(api: Api):
    for _ in range(3):
        await api.client.post("/v1/renders", json={"code": "class A(Scene): pass"})
    await api.begun()
    queue = (await api.client.get("/v1/health")).json()["queue"]
    assert (queue["queued"], queue["running"]) == (2, 1)


async def test_without_an_executor_it_is_not_healthy(api: Api):
    assert (await api.client.get("/readyz")).status_code == 200
    api.executor.unavailable = "manim is not installed"
    health, ready = await api.client.get("/v1/health"), await api.client.get("/readyz")
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert health.json()["executors"]["scripted"]["reason"] == "manim is not installed"
    assert ready.status_code == 503
    assert "manim is not installed" in ready.json()["reason"]
    assert (await api.client.get("/livez")).status_code == 200


async def test_a_service_that_stops_takes_nothing_but_lives(api: Api):
    api.context.drain()
    assert (await api.client.get("/readyz")).status_code == 503
    assert (await api.client.get("/livez")).status_code == 200


async def test_a_table_that_cannot_be_read(api: Api):
    await api.context.renders.stop(grace=0)
    answer = await api.client.get("/v1/health")
    assert answer.status_code == 503
    assert answer.json()["queue"]["queued"] is None


async def test_monitors_need_no_key(start: Start):
    async with start(api_keys="a:k") as api:
        for path in ("/v1/health", "/livez", "/readyz"):
            assert (await api.client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("sandbox", "expected"),
    [
        (None, UNCONFINED.format(executor="local")),
        ({"tier": "none", "layers": []}, UNCONFINED.format(executor="local")),
        ({"tier": "basic", "layers": ["pid namespace", "rlimits"]}, "not fully confined (tier basic) by the local "),
        ({"tier": "full", "layers": ["everything"]}, None),
        ({"tier": "container", "layers": []}, None),
    ],
)
def test_whoever_is_not_fully_confined_is_warned_about(sandbox, expected: str | None):
    status = ExecutorStatus(available=True, details={"sandbox": sandbox} if sandbox else {})
    found = warnings(Settings(_env_file=None), {"local": status})
    assert found == [] if expected is None else expected in found[0]


def test_nothing_is_claimed_before_the_executor_can_tell():
    status = ExecutorStatus(available=True, details={"ready": False, "sandbox": {"tier": "none", "layers": []}})
    assert warnings(Settings(_env_file=None), {"local": status}) == []


async def test_the_start_is_announced_when_the_executor_can_tell(caplog: pytest.LogCaptureFixture):
    class Warming(ScriptedExecutor):
        looks = 0

        def status(self) -> ExecutorStatus:
            self.looks += 1
            ready = self.looks > 2
            sandbox = {"tier": "basic", "layers": ["rlimits"]} if ready else {"tier": "none", "layers": []}
            return ExecutorStatus(available=True, details={"ready": ready, "sandbox": sandbox})

    caplog.set_level("INFO")
    absent = ScriptedExecutor()
    absent.name = "absent"
    absent.unavailable = "nobody is there"
    await announce(Settings(_env_file=None), [Warming(), absent])
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:3] == [
        "Modal integration disabled, using local rendering",
        "Sandbox: basic (rlimits)",
        "The absent executor is not available: nobody is there",
    ]
    assert lines[3].startswith("Scenes are not fully confined (tier basic)")
    assert len(lines) == 4


def test_an_open_service_is_warned_about():
    assert warnings(Settings(_env_file=None, host="0.0.0.0", allow_anonymous=True), {}) == [OPEN]
    assert warnings(Settings(_env_file=None, allow_anonymous=True), {}) == []
