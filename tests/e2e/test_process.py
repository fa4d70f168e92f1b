"""Starting, stopping and killing the service's process."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import QUICK, VIDEO, scene
from tests.e2e.server import ROOT, Server, environment, innermost, serving
from tests.executors.rig import fresh_mark
from tests.modal_plane.running import nobody_listens
from tests.patience import PATIENCE, until


def start(data: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run the service, which should refuse to start, to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py")],
        env=environment(data, "refused", **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_service_starts_without_manim(tmp_path: Path) -> None:
    code = "import run; run.app; import sys; print([m for m in ('manim', 'av', 'numpy', 'PIL') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(tmp_path, "lean") | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with serving(tmp_path / "one") as server:
        port = int(server.address.rpartition(":")[2])
        refused = start(tmp_path / "two", port=port)
    assert refused.returncode == 1
    assert f"Port {port} is in use" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_of_two_services_on_a_folder_one_takes_over_what_the_other_ran(tmp_path: Path) -> None:
    data = tmp_path / "data"
    endless = scene("import time", "self.wait(0.1)", "time.sleep(600)")
    with serving(data, render_slots=1) as one, serving(data, render_slots=1) as two:
        with one.client() as client:
            render_id = client.post("/v1/renders", json={"code": endless, "quality": "low"}).json()["id"]
        path = f"/v1/renders/{render_id}"

        def now(server: Server) -> dict[str, Any]:
            with server.client() as client:
                found: dict[str, Any] = client.get(path).json()
            return found

        until(lambda: now(two)["status"] == "running", "its start")
        with sqlite3.connect(data / "manimcast.db") as database:
            ((owner,),) = database.execute("SELECT owner FROM renders").fetchall()
        database.close()
        dead, living = (one, two) if owner.split("-")[-2] == str(one.process.pid) else (two, one)
        dead.process.kill()
        dead.process.wait()
        again = until(lambda: (found := now(living))["attempt"] == 2 and found["status"] == "running" and found, "that")
        assert again["executor"] == "local"
        with living.client() as client:
            assert client.post(f"{path}/cancel").json()["status"] == "canceled"
        until(lambda: not living.scratch(), "an empty working folder")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = start(tmp_path / "file" / "data")
    assert refused.returncode == 1
    assert "DATA_DIR" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"port": "http"}, "PORT"), ({"host": "0.0.0.0"}, "API_KEYS"), ({"render_memory": "1"}, "RENDER_MEMORY")],
)
def test_wrong_settings_are_named(tmp_path: Path, settings: dict[str, object], named: str) -> None:
    refused = start(tmp_path / "data", **{"port": 0, **settings})
    assert refused.returncode == 1
    assert named in refused.stderr
    assert "Traceback" not in refused.stderr


def test_below_the_full_sandbox_a_service_without_modal_does_not_start(
    tmp_path: Path, without_bubblewrap: Path
) -> None:
    refused = start(tmp_path / "data", port=0)
    assert refused.returncode == 1
    assert "SANDBOX=strict insists on" in refused.stderr
    assert "bubblewrap (not installed): apt-get install bubblewrap" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "Listening" not in refused.stdout


def test_with_modal_it_starts_and_tells_that_this_host_does_not_render(
    tmp_path: Path, without_bubblewrap: Path
) -> None:
    tokens = {"modal_token_id": "ak-1", "modal_token_secret": "as-1", "modal_server_url": nobody_listens()}
    with serving(tmp_path / "data", use_modal="true", **tokens) as server, server.client() as client:
        local = client.get("/v1/health").json()["executors"]["local"]
        assert not local["available"]
        assert "apt-get install bubblewrap" in local["reason"]
        until(lambda: any("The local executor is not available" in line for line in server.log), "the log line")


def test_a_weaker_sandbox_is_told_loudly(tmp_path: Path, without_bubblewrap: Path) -> None:
    with serving(tmp_path / "data", sandbox="weak") as server, server.client() as client:
        until(lambda: any("[WARNING] SANDBOX=weak" in line for line in server.log), "the warning")
        health = client.get("/v1/health").json()
        assert health["sandbox"]["tier"] == "weak"
        assert health["sandbox"]["missing"][0]["layer"] == "bubblewrap"
        assert "do not put this service on the internet" in health["warnings"][0]


def test_without_a_sandbox_only_this_machine_can_reach_it(tmp_path: Path) -> None:
    refused = start(tmp_path / "data", port=0, sandbox="off", host="0.0.0.0", api_keys="k")
    assert refused.returncode == 1
    assert "only listens on loopback" in refused.stderr
    with serving(tmp_path / "data", sandbox="off") as server:
        until(lambda: any("SCENES ARE NOT CONFINED" in line for line in server.log), "the warning")


def test_kill_nine_leaves_no_process_behind_and_the_render_runs_again(tmp_path: Path) -> None:
    sleeping = f"subprocess.Popen(['sleep', '{fresh_mark()}'])"
    code = scene("import subprocess", sleeping, "self.play(Create(Circle()))", "while 1: 0")
    with serving(tmp_path / "data") as server:
        with server.client() as client:
            path = client.post("/v1/renders", json={"code": code, "quality": "low"}).headers["location"]
            waiting = client.post("/v1/renders", json={"code": QUICK, "quality": "low"}).headers["location"]
            until(lambda: client.get(path).json()["progress"], "the first progress")
        assert len(server.processes()) >= 3
        os.kill(server.process.pid, signal.SIGKILL)
        until(lambda: not server.processes(), "the end of every process")
    with serving(tmp_path / "data", render_slots=2) as server, server.client() as client:
        assert client.get(path).json()["attempt"] >= 1
        until(lambda: client.get(path).json()["attempt"] == 2, "the second attempt")
        until(lambda: client.get(waiting).json()["status"] == "succeeded", "the render that had waited")
        assert client.post(f"{path}/cancel").json()["status"] == "canceled"


def test_sigterm_lets_a_render_finish_and_keeps_the_rest(tmp_path: Path) -> None:
    # The first goes on only when it is told that the service is on its way out.
    told = scene(
        "import signal",
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})",
        "self.play(Create(Circle()))",
        f"assert signal.sigtimedwait({{signal.SIGUSR1}}, {PATIENCE})",
    )
    with serving(tmp_path / "data", render_slots=1, shutdown_grace=PATIENCE) as server:
        with server.client() as client:
            first = client.post("/v1/renders", json={"code": told, "quality": "low"}).headers["location"]
            second = client.post("/v1/renders", json={"code": QUICK, "quality": "low"}).headers["location"]
            until(lambda: client.get(first).json()["progress"], "the first's first frames")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not _accepts(server.address), "the end of listening")
        os.kill(innermost(server.processes()), signal.SIGUSR1)
        assert server.process.wait(PATIENCE) == 0
        assert not server.processes()
    with serving(tmp_path / "data", render_slots=1) as server, server.client() as client:
        assert client.get(first).json()["status"] == "succeeded"
        assert client.get(second).json()["attempt"] <= 1
        until(lambda: client.get(second).json()["status"] == "succeeded", "the second, at the next start")


def test_a_second_signal_ends_it_without_waiting(tmp_path: Path) -> None:
    with serving(tmp_path / "data", shutdown_grace=600) as server:
        with server.client() as client:
            path = client.post("/v1/renders", json={"code": scene("while True: pass")}).headers["location"]
            until(lambda: client.get(path).json()["status"] == "running", "the start of the render")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not _accepts(server.address), "the end of listening")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert not server.processes()
    with serving(tmp_path / "data", shutdown_grace=0) as server, server.client() as client:
        assert client.get(path).json()["status"] in {"queued", "running"}


def test_machines_read_the_log(tmp_path: Path) -> None:
    with serving(tmp_path / "data", log_format="json") as server, server.client() as client:
        render_id = client.post(VIDEO, json={"code": QUICK, "quality": "low"}).json()["render_id"]
    lines = [json.loads(line) for line in server.log]
    assert all({"timestamp", "level", "message"} <= line.keys() for line in lines)
    assert any(line["message"] == "Modal integration disabled, using local rendering" for line in lines)
    (about,) = [line for line in lines if line.get("render_id") == render_id]
    assert about["message"].startswith("POST /v1/video/rendering 200")


def _accepts(address: str) -> bool:
    url = httpx.URL(address)
    try:
        socket.create_connection((url.host, url.port or 80), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


def test_a_full_queue_says_when_to_come_back(tmp_path: Path) -> None:
    body = {"code": scene("while True: pass")}
    settings = {"render_slots": 1, "queue_limit": 1, "shutdown_grace": 0}
    with serving(tmp_path / "data", **settings) as server, server.client() as client:
        assert client.post("/v1/renders", json=body).status_code == 202
        assert client.post("/v1/renders", json=body).status_code == 202
        refused = client.post(VIDEO, json=body)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1


def test_keys_guard_an_open_service(tmp_path: Path) -> None:
    keys = "alice:secret-one-1234567,bob:secret-two-1234567"
    with serving(tmp_path / "data", api_keys=keys) as server, server.client() as client:
        assert client.post("/v1/renders", json={"code": QUICK}).status_code == 401
        alice = {"authorization": "Bearer secret-one-1234567"}
        bob = {"x-api-key": "secret-two-1234567"}
        path = client.post("/v1/renders", json={"code": QUICK, "quality": "low"}, headers=alice).headers["location"]
        assert client.get(path, headers=alice).status_code == 200
        assert client.get(path, headers=bob).status_code == 404
        assert client.get("/livez").status_code == 200
