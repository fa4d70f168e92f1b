"""Modal fails in every way, and renders end as they should: there again, on this machine, or as the scene's fault."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.modal_plane import faults
from tests.modal_plane.outages import NO_ANSWER, OUTAGES, SHORT, STREAM, Case, Outage, blocking, cases, meet
from tests.modal_plane.running import RunningPlane, alive, plane
from tests.modal_plane.service import QUICK, VIDEO, Service, Told, deploy, service
from tests.patience import until

Settings = tuple[tuple[str, object], ...]


@pytest.fixture(scope="module")
def services(module_plane: RunningPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Settings, Service]]:
    """One service for each set of bounds that the outages need."""
    deploy(module_plane)
    started: dict[Settings, Service] = {}
    with_bounds = []
    for settings in dict.fromkeys(outage.settings for outage in OUTAGES):
        context = service(module_plane, tmp_path_factory.mktemp("service"), **dict(settings))
        started[settings] = context.__enter__()
        with_bounds.append(context)
    yield started
    for context in with_bounds:
        context.__exit__(None, None, None)


def executors(told: Told) -> tuple[str, ...]:
    """Return the executors of all attempts: the first one is not announced."""
    return ("modal", *(line["executor"] for line in told.attempts))


def progress_starts_over(told: Told) -> bool:
    """Whether, after each line that announces an attempt, progress begins at the first animation's 0."""
    following = [later for line, later in itertools.pairwise(told.lines) if line in told.attempts]
    return all(later in ({"animationIndex": 0, "percentage": 0}, *told.attempts, told.end) for later in following)


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.what)
def test_an_outage_ends_as_it_should(
    outage: Outage, services: dict[Settings, Service], modal_plane: RunningPlane
) -> None:
    serving = services[outage.settings]
    told = meet(modal_plane, serving, outage)
    assert executors(told) == outage.executors
    assert [line["attempt"] for line in told.attempts] == list(range(2, len(outage.executors) + 1))
    assert progress_starts_over(told)
    if outage.error:
        assert told.end["scene_error"]["code"] == outage.error
    else:
        assert told.end["executor"] == outage.executors[-1]
        assert serving.client.head(told.end["video_url"]).status_code == 200
    render = serving.get(told.end["render_id"])
    assert (render["executor"], render["attempt"]) == (outage.executors[-1], len(outage.executors))
    # Nothing of any attempt goes on, and nothing of it stays.
    until(lambda: not any(found.inputs for found in modal_plane.containers(STREAM)), "the end of every container")
    assert serving.server.scratch() == []


@pytest.mark.parametrize("kind", ["item", "exception"])
def test_a_pickle_from_a_container_is_not_loaded(
    kind: str, services: dict[Settings, Service], modal_plane: RunningPlane, tmp_path: Path
) -> None:
    target = tmp_path / "loaded"
    fault = faults.PickledChunk if kind == "item" else faults.PickledException
    outage = Outage(f"a pickled {kind}", fault(function=STREAM, after=3, path=str(target)))
    told = meet(modal_plane, services[()], outage)
    assert executors(told) == ("modal", "modal", "modal", "local")
    assert "video_url" in told.end
    assert not target.exists()


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.what)
def test_what_is_wrong_from_the_start_is_told_and_costs_nothing(
    case: Case, modal_plane: RunningPlane, services: dict[Settings, Service], tmp_path: Path
) -> None:
    if case.fault is not None:
        modal_plane.inject(case.fault)
    blocked = blocking(case.blocked, tmp_path / "blocked")
    with service(modal_plane, tmp_path, modal_breaker_pause=600, **case.settings, **blocked) as serving:
        serving.logged(case.says)
        health = serving.until_modal(available=False)
        assert health["status"] == "degraded"
        assert health["modal_enabled"] is True
        assert health["modal_health"].startswith("❌ Error: ")
        assert health["executors"]["modal"]["breaker"]["state"] == "open"
        told = serving.stream()
        assert told.attempts == []
        assert told.end["executor"] == "local"
        refused = serving.client.post("/v1/renders", json={"code": QUICK, "executor": "modal"})
        assert refused.status_code == 503
        assert refused.json()["detail"].startswith("modal: ")


def test_the_breaker_opens_and_closes_again(modal_plane: RunningPlane, services: dict[Settings, Service]) -> None:
    serving = services[NO_ANSWER]
    serving.until_modal()
    modal_plane.inject(faults.Silent())
    assert serving.stream().end["executor"] == "local"
    assert serving.health()["modal_available"] is False
    # From now on nobody pays for finding out.
    told = serving.stream()
    assert told.attempts == []
    assert told.end["executor"] == "local"
    modal_plane.clear()
    serving.until_modal()
    assert serving.stream().end["executor"] == "modal"
    assert serving.health()["executors"]["modal"]["breaker"]["state"] == "closed"


def test_a_render_that_asks_for_modal_never_falls_back(
    modal_plane: RunningPlane, services: dict[Settings, Service]
) -> None:
    serving = services[()]
    serving.until_modal()
    modal_plane.inject(faults.Kill(function=STREAM, after=3))
    render = serving.until(serving.submit(executor="modal"))
    modal_plane.clear()
    assert (render["status"], render["executor"], render["attempt"]) == ("failed", "modal", 3)
    assert render["error"]["code"] == "internal"


def test_without_a_local_renderer_an_outage_is_a_503(
    modal_plane: RunningPlane, services: dict[Settings, Service], tmp_path: Path
) -> None:
    blocked = blocking(("manim",), tmp_path / "blocked")
    with service(modal_plane, tmp_path, modal_breaker_pause=600, modal_connect_timeout=SHORT, **blocked) as serving:
        health = serving.until_modal()
        assert health["executors"]["local"]["available"] is False
        assert health["status"] == "healthy"
        assert serving.stream().end["executor"] == "modal"
        modal_plane.inject(faults.Silent())
        for _ in ("the one that finds out", "the one that is told at once"):
            answer = serving.client.post(VIDEO, json={"code": QUICK})
            assert answer.status_code == 503, answer.text
            assert "modal: Modal did not " in answer.json()["error"]
        health = serving.health()
        assert health["status"] == "unhealthy"
        assert serving.client.get("/readyz").status_code == 503


SLOW = """
import time
class Demo(Scene):
    def construct(self):
        for _ in range(25):
            time.sleep(0.2)
            self.wait(0.1)
"""
"""So slow that its middle is there for long, on any machine."""


def test_when_the_control_plane_dies_in_the_middle_this_machine_takes_over(tmp_path: Path) -> None:
    with plane(tmp_path) as own:
        deploy(own)
        with service(own, tmp_path / "service", modal_connect_timeout=SHORT) as serving:
            serving.until_modal()
            body = {"code": SLOW, "quality": "low_quality", "stream": True}
            with serving.client.stream("POST", VIDEO, json=body) as answer:
                lines = answer.iter_lines()
                while '"animationIndex":1' not in next(lines):
                    pass
                container = own.container(STREAM)
                own.kill()
                rest = list(lines)
            assert '"executor":"local"' in rest[-1]
            assert '"video_url"' in rest[-1]
            assert not alive(container.pid)


def asked(modal_plane: RunningPlane) -> dict[str, int]:
    """Return what services have asked of Modal. Containers, which may still be on their way out, ask other things."""
    requests = modal_plane.report().requests
    return {name: requests.get(name, 0) for name in ("FunctionGet", "FunctionMap")}


def test_modal_is_left_alone_when_it_is_switched_off(modal_plane: RunningPlane, tmp_path: Path) -> None:
    with service(modal_plane, tmp_path / "on") as serving:
        serving.stream()
    before = asked(modal_plane)
    assert any(before.values())
    with service(modal_plane, tmp_path / "off", use_modal=False) as serving:
        serving.logged("Modal integration disabled, using local rendering")
        health = serving.health()
        assert (health["modal_enabled"], health["modal_available"]) == (False, "N/A")
        assert serving.stream().end["executor"] == "local"
    assert asked(modal_plane) == before
