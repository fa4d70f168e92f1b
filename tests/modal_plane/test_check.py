"""`manimcast modal check` against the control plane: proofs hold where they should, and one that fails is noticed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from manimcast.cli.proofs import PROOFS
from tests.modal_plane.running import ROOT, RunningPlane, nobody_listens
from tests.patience import PATIENCE


def check(plane: RunningPlane, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "manimcast.cli.main", "modal", "check", *options],
        cwd=ROOT,
        # Containers here are as wide as this machine, so they are asked to be as wide as the proof tries to be.
        env=os.environ
        | plane.environment
        | {"MODAL_MEMORY": "1536", "MODAL_CORES": "4", "MODAL_CONNECT_TIMEOUT": f"{PATIENCE:g}"},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(told: str) -> dict[str, bool]:
    """Return by name whether each proof held."""
    shown = [line for line in told.splitlines() if line[:2] in {"✓ ", "✗ "} and " s  " in line]
    return {line[2:32].strip(): line[0] == "✓" for line in shown}


def test_every_proof_holds_and_the_app_is_stopped_again(modal_plane: RunningPlane) -> None:
    done = check(modal_plane, "--reach", nobody_listens().removeprefix("http://"))
    found = rows(done.stdout)
    if not modal_plane.report().scene_user:
        # Another user could not read this Python, so scenes run as the container's own, and that is noticed.
        assert (found.pop("layers in it"), done.returncode) == (False, 1), done.stdout
        found.pop("what a scene sees")
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert found.keys() == {"the image builds", *PROOFS}
    assert all(found.values()), done.stdout
    assert {app.state for app in modal_plane.report().apps if app.environment == "manimcast-check"} == {"stopped"}


@pytest.mark.full
def test_a_network_that_is_not_blocked_is_noticed(modal_plane: RunningPlane) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as open_port:
        done = check(modal_plane, "--env", "other", "--keep", "--reach", f"127.0.0.1:{open_port.getsockname()[1]}")
    assert done.returncode == 1
    assert rows(done.stdout)["network is blocked"] is False
    assert {app.state for app in modal_plane.report().apps if app.environment == "other"} == {"deployed"}
