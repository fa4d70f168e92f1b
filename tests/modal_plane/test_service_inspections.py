"""Dry runs of a service whose own machine may run no scenes of strangers: they happen in containers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.modal_plane.running import ROOT, RunningPlane, alive
from tests.modal_plane.service import ENDLESS, QUICK, SMALL, Service, deploy, service
from tests.patience import PATIENCE, until
from tests.sandbox.hosts import without_bubblewrap

__all__ = ["without_bubblewrap"]

INSPECT = "/v1/scenes/inspect"
STREAM = "render_stream"


@pytest.fixture
def unconfined(modal_plane: RunningPlane, without_bubblewrap: Path, tmp_path: Path) -> Iterator[Service]:
    """A service on a host without the full sandbox."""
    deploy(modal_plane, modal_memory=1536)
    with service(modal_plane, tmp_path / "service") as started:
        started.until_modal()
        until(lambda: started.health()["executors"]["local"]["available"] is False, "the end of the local executor")
        yield started


def test_they_happen_in_a_container(unconfined: Service, modal_plane: RunningPlane) -> None:
    body = {"code": QUICK, **SMALL}
    answer = unconfined.client.post(INSPECT, json=body)
    assert answer.status_code == 200, answer.text
    (report,) = answer.json()["reports"]
    assert [(play["kind"], play["line"]) for play in report["plays"]] == [("Create", 4), ("Create", 5)]
    assert "2 cores" in report["estimate"]["basis"]
    render = unconfined.until(unconfined.submit(QUICK))
    assert render["executor"] == "modal"
    for name in ("frames", "duration", "width", "height"):
        assert report[name] == render["result"][name], name

    wrong = unconfined.client.post(INSPECT, json=body | {"code": QUICK.replace("Square", "Sqare")}).json()
    error = wrong["reports"][0]["error"]
    assert (error["line"], error["hint"]) == (5, "Did you mean Square?")

    refused = unconfined.client.post(INSPECT, json=body | {"executor": "local"})
    assert refused.status_code == 503
    assert "no dry run is possible: local: this host does not give the full sandbox" in refused.json()["detail"]

    # A client that leaves.
    content = json.dumps({"code": ENDLESS}).encode()
    head = f"POST {INSPECT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    url = httpx.URL(unconfined.server.address)
    with socket.create_connection((url.host, url.port or 80)) as impatient:
        impatient.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        container = until(lambda: next((one for one in modal_plane.containers(STREAM) if one.inputs), None), "it runs")
        assert container is not None
    until(lambda: not alive(container.pid), "the end of the container")
    until(lambda: modal_plane.call(container.calls[0]).canceled, "the cancellation of the call")


def test_on_the_command_line(modal_plane: RunningPlane, without_bubblewrap: Path, tmp_path: Path) -> None:
    deploy(modal_plane, modal_memory=1536)
    (tmp_path / "scene.py").write_text(QUICK)

    def inspect(**variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "manimcast.cli.main", "inspect", "scene.py", "--fps", "10", "--json"],
            cwd=tmp_path,
            env=os.environ
            | modal_plane.environment
            | {"PYTHONPATH": str(ROOT), "MODAL_CONNECT_TIMEOUT": f"{PATIENCE:g}"}
            | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    done = inspect()
    assert done.returncode == 0, done.stderr
    assert [report["frames"] for report in json.loads(done.stdout)["reports"]] == [10]
    assert done.stderr == ""
    absent = inspect(MODAL_APP_NAME="absent")
    assert absent.returncode == 3
    assert "scenes cannot be run here: this host does not give the full sandbox" in absent.stderr
    assert "scenes cannot be run on Modal: the app absent is not deployed" in absent.stderr
    alone = inspect(USE_MODAL="false")
    assert (alone.returncode, "on Modal" in alone.stderr) == (3, False)
