"""The control plane does what Modal's does, as far as the real client can tell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.modal_plane import scene_user
from tests.modal_plane.client import Client, call, calling, modal_cli
from tests.modal_plane.running import RunningPlane, alive, plane
from tests.patience import until

TOY = "tests/modal_plane/toy.py"


@pytest.fixture(autouse=True)
def toy(module_plane: RunningPlane) -> None:
    """Have the toy app deployed."""
    if not any(app.name == "toy" and app.state == "deployed" for app in module_plane.report().apps):
        deployed = modal_cli(module_plane, "deploy", TOY)
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr


def gone(pid: int) -> None:
    """Wait for the end of a process."""
    until(lambda: not alive(pid), f"the end of process {pid}")


def test_deploy_keeps_the_definition(modal_plane: RunningPlane) -> None:
    count = modal_plane.function("count")
    assert (count.generator, count.timeout, count.single_use_containers) == (True, 900, True)
    assert (count.restrict_modal_access, count.output_formats, count.secrets) == (True, ["cbor", "generator_done"], 0)
    assert modal_plane.function("third_time").retries == 2
    assert modal_plane.function("add").secrets == 1
    assert modal_plane.function("Counter.*").snapshot
    limited = modal_plane.function("limited")
    assert (limited.cpu, limited.memory, limited.max_containers, limited.block_network) == (0.5, 256, 1, True)
    commands = modal_plane.image(count).commands
    assert any("apt-get install" in command and "ffmpeg" in command for command in commands)
    assert any(command.startswith("ENV TOY_FILES=/opt/toy") for command in commands)


def test_remote_call_and_its_output(modal_plane: RunningPlane, caller: Client) -> None:
    assert caller.call("add", 20, 22) == [{"value": 42}]
    until(lambda: "adding 20 and 22" in modal_plane.logs(), "the output")
    logs = modal_cli(modal_plane, "app", "logs", "toy")
    assert "adding 20 and 22" in logs.stdout, logs


def test_generator(modal_plane: RunningPlane, caller: Client) -> None:
    first, *rest = caller.call("count", 3)
    assert rest == [{"item": {"number": 0}}, {"item": {"number": 1}}, {"item": {"number": 2}}, {"end": True}]
    report = modal_plane.call(first["item"]["call"])
    assert (report.chunks, report.statuses, report.formats) == (4, ["success"], ["cbor", "generator_done"])
    gone(first["item"]["pid"])  # a container for one input only


def test_items_arrive_while_the_container_runs(modal_plane: RunningPlane, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    with calling(modal_plane, "count", 2, str(hold)) as talk:
        first = talk.next()["item"]
        assert talk.next() == {"item": {"number": 0}}
        assert alive(first["pid"])
        hold.unlink()
        assert talk.rest() == [{"item": {"number": 1}}, {"end": True}]


def test_fifty_megabytes_both_ways(modal_plane: RunningPlane, caller: Client) -> None:
    assert caller.call("echo", {"zeros": 50_000_000}) == [{"value": {"bytes": 50_000_000}}]


def test_exception(modal_plane: RunningPlane, caller: Client) -> None:
    assert caller.call("fail", "so it goes") == [{"error": "ValueError", "text": "so it goes"}]


def test_timeout_ends_the_container(modal_plane: RunningPlane) -> None:
    with calling(modal_plane, "too_long") as talk:
        pid = modal_plane.container("too_long").pid
        (said,) = talk.rest()
        assert said["error"] == "FunctionTimeoutError"
        assert "timeout of 5s" in said["text"]
    gone(pid)


def test_retries_of_a_plain_function(modal_plane: RunningPlane, caller: Client, tmp_path: Path) -> None:
    assert caller.call("third_time", str(tmp_path / "tries")) == [{"value": 3}]


def test_spawn_and_map(modal_plane: RunningPlane, caller: Client, tmp_path: Path) -> None:
    assert caller.call("spawn", "third_time", str(tmp_path / "tries")) == [{"value": 3}]
    assert modal_plane.report().calls[-1].retries == [2]
    assert caller.call("map", "add", [1, 2, 3], [10, 20, 30]) == [{"value": [11, 22, 33]}]


def test_cancel_ends_the_container(modal_plane: RunningPlane, caller: Client, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    with calling(modal_plane, "count", 1, str(hold)) as talk:
        first = talk.next()["item"]
        assert caller.call("cancel", first["call"]) == [{"value": None}]
        gone(first["pid"])
        (said,) = talk.rest()
        assert (said["error"], said["text"]) == ("RemoteError", "Input was cancelled by user")
    report = modal_plane.call(first["call"])
    assert (report.canceled, report.statuses) == (True, ["terminated"])
    assert modal_plane.containers("count") == []


def test_cancel_without_killing_reaches_the_function(modal_plane: RunningPlane, caller: Client, tmp_path: Path) -> None:
    with calling(modal_plane, "polite", str(tmp_path / "said")) as talk:
        call_id = talk.next()["item"]
        caller.call("cancel_only", call_id)
        assert "error" in talk.rest()[-1]
    assert (tmp_path / "said").read_text() == "InputCancellation"


def test_crashes_end_in_an_error(modal_plane: RunningPlane, caller: Client) -> None:
    (said,) = caller.call("crash")
    assert said["error"] == "InternalFailure"
    assert "exited with status 3" in said["text"]
    assert modal_plane.report().calls[-1].runs == [3]


def test_a_lost_container_is_replaced(modal_plane: RunningPlane, tmp_path: Path) -> None:
    with calling(modal_plane, "wait_for_file", str(tmp_path / "go")) as talk:
        container = modal_plane.container("wait_for_file")
        os.kill(container.pid, signal.SIGKILL)
        gone(container.pid)
        until(lambda: modal_plane.container("wait_for_file").id != container.id, "another container")
        (tmp_path / "go").touch()
        assert talk.rest() == [{"value": "1"}]


def test_what_a_container_finds(modal_plane: RunningPlane, caller: Client) -> None:
    (said,) = caller.call("facts")
    facts = said["value"]
    assert facts["shipped"]
    assert facts["importable"] == 0
    assert {"tests", "toy.py"} <= set(facts["at_home"])
    assert facts["user"] == modal_plane.report().scene_user
    assert "MODAL_IDENTITY_TOKEN" in facts["modal"]
    assert not {"MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"} & set(facts["modal"])
    assert not Path(facts["home"]).is_relative_to(Path.home())
    assert facts["start"] == str(Path(facts["home"]).with_name("work"))


@pytest.mark.skipif(scene_user.substitute() == "", reason="needs root, and a Python that nobody can run")
def test_another_user_can_read_what_was_shipped(modal_plane: RunningPlane, caller: Client) -> None:
    assert caller.call("as_scene_user") == [{"value": str(Path(TOY).stat().st_size)}]


def test_restricted_access(modal_plane: RunningPlane, caller: Client) -> None:
    (said,) = caller.call("call_another")
    assert said["error"] == "PermissionDeniedError"


def test_class_with_a_snapshot_and_methods(modal_plane: RunningPlane, caller: Client) -> None:
    assert caller.call("Counter.more", 2) == [{"value": 42}]


def test_functions_are_scaled(modal_plane: RunningPlane, tmp_path: Path) -> None:
    until(lambda: any(found.idle for found in modal_plane.containers("warm")), "the container that always waits")
    with calling(modal_plane, "limited", str(tmp_path / "go")) as one:
        modal_plane.container("limited")
        with calling(modal_plane, "limited", str(tmp_path / "go")) as other:
            until(lambda: modal_plane.function("limited").pending == 1, "the second call's wait")
            assert len(modal_plane.containers("limited")) == 1
            (tmp_path / "go").touch()
            assert one.rest() == other.rest() == [{"value": None}]
    until(lambda: not modal_plane.containers("limited"), "the end of the idle container")
    with calling(modal_plane, "buffered", str(tmp_path / "later")) as talk:
        until(lambda: any(found.idle for found in modal_plane.containers("buffered")), "the container in reserve")
        (tmp_path / "later").touch()
        assert talk.rest() == [{"value": None}]


def test_redeploy_while_a_call_runs(modal_plane: RunningPlane, caller: Client, tmp_path: Path) -> None:
    with calling(modal_plane, "wait_for_file", str(tmp_path / "go")) as talk:
        old = modal_plane.container("wait_for_file")
        assert modal_cli(modal_plane, "deploy", TOY, TOY_VERSION="2").returncode == 0
        assert caller.call("version") == [{"value": "2"}]
        assert alive(old.pid)
        (tmp_path / "go").touch()
        assert talk.rest() == [{"value": "1"}]
        gone(old.pid)
    history = json.loads(modal_cli(modal_plane, "app", "history", "toy", "--json").stdout)
    assert len(history) >= 2
    assert modal_cli(modal_plane, "app", "rollback", "toy").returncode == 0
    assert caller.call("version") == [{"value": "1"}]


def test_environments(modal_plane: RunningPlane, caller: Client) -> None:
    lost = modal_cli(modal_plane, "deploy", TOY, "--env", "staging")
    assert lost.returncode != 0
    assert "staging" in lost.stdout + lost.stderr
    assert modal_cli(modal_plane, "environment", "create", "staging").returncode == 0
    assert "staging" in modal_cli(modal_plane, "environment", "list").stdout
    assert modal_cli(modal_plane, "deploy", TOY, "--env", "staging", TOY_VERSION="7").returncode == 0
    assert call(modal_plane, "version", TOY_ENVIRONMENT="staging") == [{"value": "7"}]
    assert call(modal_plane, "version", MODAL_ENVIRONMENT="staging") == [{"value": "7"}]
    assert caller.call("version") == [{"value": "1"}]
    assert modal_cli(modal_plane, "app", "stop", "toy", "--yes", "--env", "staging").returncode == 0
    (said,) = call(modal_plane, "version", TOY_ENVIRONMENT="staging")
    assert said["error"] == "NotFoundError"
    assert "App 'toy' not found in environment 'staging'" in said["text"]
    assert modal_cli(modal_plane, "environment", "delete", "staging", "--yes").returncode == 0
    (said,) = call(modal_plane, "version", TOY_ENVIRONMENT="staging")
    assert "Environment 'staging' not found" in said["text"]


def test_run_without_a_deploy(modal_plane: RunningPlane) -> None:
    ran = modal_cli(modal_plane, "run", TOY)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "the sum is 42" in ran.stdout
    assert "adding 20 and 22" in ran.stdout
    (app,) = [app for app in modal_plane.report().apps if app.state == "stopped" and app.environment == "main"]
    assert all(container.app != app.id for container in modal_plane.containers())


def test_commands_that_look(modal_plane: RunningPlane) -> None:
    assert "toy" in modal_cli(modal_plane, "app", "list").stdout
    assert "third_time" in modal_cli(modal_plane, "app", "info", "toy").stdout
    until(lambda: any(found.idle for found in modal_plane.containers("warm")), "the container that always waits")
    assert modal_plane.containers("warm")[0].id in modal_cli(modal_plane, "container", "list").stdout
    nothing = modal_cli(modal_plane, "app", "logs", "nothing")
    assert "No App with name 'nothing'" in nothing.stdout + nothing.stderr


def test_tokens_from_a_profile(modal_plane: RunningPlane, tmp_path: Path) -> None:
    profile = {"MODAL_CONFIG_PATH": str(tmp_path / "modal.toml")}
    address = modal_plane.address
    for secret, status in (("as-wrong", 1), (address.token_secret, 0)):
        tokens = ("--token-id", address.token_id, "--token-secret", secret)
        assert modal_cli(modal_plane, "token", "set", *tokens, "--verify", **profile).returncode == status
    assert address.token_id in (tmp_path / "modal.toml").read_text()
    without = {"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}
    assert modal_cli(modal_plane, "app", "list", **profile, **without).returncode == 0
    assert modal_cli(modal_plane, "app", "list", **without).returncode == 1


def test_wrong_token(modal_plane: RunningPlane) -> None:
    (said,) = call(modal_plane, "add", 1, 2, MODAL_TOKEN_SECRET="as-wrong")
    assert said["error"] == "AuthError"


def test_not_deployed(modal_plane: RunningPlane, caller: Client) -> None:
    (said,) = caller.call("no_such_function")
    assert said["error"] == "NotFoundError"


def test_a_daemon_ends_with_its_container(modal_plane: RunningPlane) -> None:
    with calling(modal_plane, "daemon") as talk:
        pid = talk.next()["item"]
        assert alive(pid)
        modal_plane.kill_container(modal_plane.container("daemon").id)
        gone(pid)
        assert talk.rest()[-1]["error"] == "InternalFailure"


@pytest.mark.parametrize("end", ["killed", "told"])
def test_nothing_outlives_the_control_plane(tmp_path: Path, end: str) -> None:
    with plane(tmp_path) as mine:
        modal_cli(mine, "deploy", TOY)
        with calling(mine, "daemon") as talk:
            pids = [talk.next()["item"], mine.container("daemon").pid]
            assert all(alive(pid) for pid in pids)
            if end == "killed":
                mine.kill()
            else:
                mine.process.terminate()
            for pid in pids:
                gone(pid)


def test_the_control_plane_ends_with_its_parent() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'tests.modal_plane', '--with-input'])"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = json.loads(parent.stdout.readline())["pid"]
        parent.kill()
        assert parent.stdin is not None
        parent.stdin.close()
        gone(pid)
