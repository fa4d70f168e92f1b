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
    assert body["modal_health"] == "❌ Error: Modal integration is disabled"
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


FACTS = {
    "status": "healthy",
    "manim_version": "0.22.0",
    "numpy_version": "2.3.0",
    "ffmpeg_available": True,
    "ffmpeg_version": "libavcodec 61",
    "timestamp": "2026-01-01T00:00:00+00:00",
}
BREAKER = {"state": "closed", "failures": 0}


def modal_and_local() -> tuple[ScriptedExecutor, ScriptedExecutor]:
    modal, local = ScriptedExecutor("modal", slots=10), ScriptedExecutor("local")
    modal.details = {
        "app": "manim-renderer-api",
        "environment": None,
        "tokens": "✅ Configured",
        "breaker": BREAKER,
        "modal_health": FACTS,
        "sandbox": {"tier": "container", "layers": ["gvisor"]},
    }
    return modal, local


async def test_modal_that_works(start: Start):
    modal, local = modal_and_local()
    async with start(modal, local) as api:
        body = (await api.client.get("/v1/health")).json()
        assert (body["status"], body["modal_enabled"], body["modal_available"]) == ("healthy", True, True)
        assert (body["modal_tokens"], body["modal_health"]) == ("✅ Configured", FACTS)
        assert body["executors"]["modal"]["breaker"] == BREAKER
        assert (body["executors"]["modal"]["slots"], body["executors"]["local"]["slots"]) == (10, 1)
        assert body["queue"]["slots"] == 11
        assert body["sandbox"] == {"tier": "container", "layers": ["gvisor"]}
        assert body["warnings"] == [UNCONFINED.format(executor="local")], "Modal's containers may run anything"

        modal.details["modal_health"] = None
        body = (await api.client.get("/v1/health")).json()
        assert (body["status"], body["modal_health"]) == ("healthy", "❌ Error: no container has reported yet")


async def test_a_host_that_only_has_modal_is_healthy(start: Start):
    modal, local = modal_and_local()
    local.unavailable = "manim is not installed here"
    async with start(modal, local) as api:
        answer = await api.client.get("/v1/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
        assert answer.json()["warnings"] == []
        assert answer.json()["queue"]["slots"] == 10
        assert (await api.client.get("/readyz")).status_code == 200


async def test_without_modal_this_machine_gets_by(start: Start):
    modal, local = modal_and_local()
    modal.unavailable = "no answer within 5 s"
    modal.details["tokens"] = "❌ Missing - run modal setup"
    async with start(modal, local) as api:
        answer = await api.client.get("/v1/health")
        assert answer.status_code == 200
        body = answer.json()
        assert (body["status"], body["modal_enabled"], body["modal_available"]) == ("degraded", True, False)
        assert body["modal_tokens"] == "❌ Missing - run modal setup"
        assert body["modal_health"] == "❌ Error: no answer within 5 s", "what it said before does not hold any more"
        assert body["executors"]["modal"]["modal_health"] == FACTS
        assert body["sandbox"]["tier"] == "none"
        assert (await api.client.get("/readyz")).status_code == 200

        local.unavailable = "manim is not installed here"
        answer, ready = await api.client.get("/v1/health"), await api.client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
        assert ready.status_code == 503
        reason = "modal: no answer within 5 s; local: manim is not installed here"
        assert ready.json()["reason"] == reason


async def test_polling_starts_nothing(start: Start):
    modal, local = modal_and_local()
    async with start(modal, local) as api:
        for path in ("/v1/health", "/readyz", "/livez"):
            await api.client.get(path)
        assert modal.begun.empty()
        assert local.begun.empty()


@pytest.mark.parametrize(("token", "told"), [("ak-1", "✅ Configured"), (None, "❌ Missing - ")])
async def test_tokens_are_told_of_even_where_modal_is_off(start: Start, token: str | None, told: str):
    async with start(ScriptedExecutor("local"), modal_token_id=token, modal_token_secret=token) as api:
        assert (await api.client.get("/v1/health")).json()["modal_tokens"].startswith(told)


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
        ({"tier": "weak", "layers": ["pid_namespace", "own_proc", "rlimits"]}, "not fully confined by the local "),
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
            sandbox = {"tier": "weak", "layers": ["seccomp"]} if ready else {"tier": "none", "layers": []}
            return ExecutorStatus(available=True, details={"ready": ready, "sandbox": sandbox})

    caplog.set_level("INFO")
    absent = ScriptedExecutor()
    absent.name = "absent"
    absent.unavailable = "nobody is there"
    await announce(Settings(_env_file=None), [Warming(), absent])
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:3] == [
        "Modal integration disabled, using local rendering",
        "Sandbox: weak (seccomp)",
        "The absent executor is not available: nobody is there",
    ]
    assert lines[3].startswith("SANDBOX=weak: scenes are not fully confined by the scripted executor")
    assert len(lines) == 4


async def test_where_modal_is_on_its_own_announcements_are_left_to_it(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    modal, local = modal_and_local()
    local.details = {"sandbox": {"tier": "full", "layers": ["seccomp"]}}
    await announce(Settings(_env_file=None), [modal, local])
    modal.unavailable = "no answer"
    await announce(Settings(_env_file=None), [modal, local])
    assert [(record.getMessage(), record.executor) for record in caplog.records] == [
        ("Sandbox: container (gvisor)", "modal"),
        ("Sandbox: full (seccomp)", "local"),
        ("Sandbox: full (seccomp)", "local"),
    ]


def test_an_open_service_is_warned_about():
    assert warnings(Settings(_env_file=None, host="0.0.0.0", allow_anonymous=True), {}) == [OPEN]
    assert warnings(Settings(_env_file=None, allow_anonymous=True), {}) == []
