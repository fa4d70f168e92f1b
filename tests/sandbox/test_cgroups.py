"""A control group around each child: real ones where this host has them, and a folder that looks like version 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from manimcast.sandbox.host import cgroups
from manimcast.sandbox.host.cgroups import Groups
from manimcast.sandbox.layers import Layer
from tests.patience import PATIENCE


@pytest.fixture
def groups() -> Groups:
    found = Groups()
    if Layer.pids_cgroup not in found.layers:
        pytest.skip("this host gives no control groups")
    return found


def enter(entrances: list[int], code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process that has entered by ``entrances``."""
    script = f"import os\nfor entrance in {entrances}: os.write(entrance, b'0')\n{code}"
    return subprocess.run(
        [sys.executable, "-c", script],
        pass_fds=entrances,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_processes_are_limited(groups: Groups) -> None:
    group = groups.make(memory=1 << 30, processes=5)
    code = """
os.setsid()
made = 0
while made < 20:
    try:
        if os.fork() == 0:
            os.read(os.pipe()[0], 1)
    except OSError:
        break
    made += 1
os.write(1, str(made).encode())
os.killpg(0, 9)
"""
    assert enter(group.entrances, code).stdout == "4"
    group.remove()


def test_running_out_of_memory_is_known(groups: Groups) -> None:
    if Layer.memory_cgroup not in groups.layers:
        pytest.skip("this host limits no memory by control groups")
    group = groups.make(memory=64 << 20, processes=10)
    fine = enter(group.entrances, "print(len(bytearray(1 << 20)))")
    assert fine.stdout == f"{1 << 20}\n"
    assert not group.ran_out_of_memory()
    done = enter(group.entrances, "b = bytearray(b'x' * (256 << 20))")
    assert done.returncode == -9
    assert group.ran_out_of_memory()
    group.remove()
    assert not any(folder.exists() for folder in group.folders)


def test_several_zygotes_of_a_service_do_not_take_each_other_s(groups: Groups) -> None:
    first = groups.make(memory=1 << 30, processes=5)
    other = Groups()  # sweeps, as the start of another zygote does
    second = other.make(memory=1 << 30, processes=5)
    assert all(folder.exists() for folder in first.folders + second.folders)
    assert not set(first.folders) & set(second.folders)
    first.remove()
    second.remove()


def test_what_a_killed_service_left_is_swept(groups: Groups) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    place = groups.make(memory=1 << 30, processes=5)
    left = place.folders[0].with_name(f"manimcast-{gone.pid}-7")
    left.mkdir()
    place.remove()
    Groups()
    assert not left.exists()


@pytest.fixture
def unified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a delegated one of version 2, as far as a folder can."""
    own = tmp_path / "unit"
    own.mkdir()
    (own / "cgroup.controllers").write_text("cpu memory pids\n")
    (own / "cgroup.subtree_control").write_text("")
    monkeypatch.setattr(cgroups, "_ROOT", tmp_path)
    return own


def test_in_version_two_the_service_moves_aside_and_asks_for_the_limits(unified: Path) -> None:
    cgroups._delegated(unified)
    assert (unified / "manimcast-service" / "cgroup.procs").read_text() == str(os.getpid())
    assert (unified / "cgroup.subtree_control").read_text() == "+memory +pids"


def test_in_version_two_the_next_zygote_s_groups_are_beside_the_first_s(
    unified: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(cgroups, "_delegated", lambda folder: asked.append(folder) or ())
    for path in ("/unit", "/unit/manimcast-service"):
        own = unified / "proc-self-cgroup"
        own.write_text(f"0::{path}\n")
        monkeypatch.setattr(cgroups, "_OWN", own)
        cgroups._places()
    assert asked == [unified, unified]


def test_in_version_two_nothing_is_taken_that_was_not_delegated(unified: Path) -> None:
    (unified / "cgroup.subtree_control").unlink()
    assert cgroups._delegated(unified) == ()
    (unified / "cgroup.controllers").write_text("cpu\n")
    assert cgroups._delegated(unified) == ()


def test_to_hurry_moves_no_process(groups: Groups) -> None:
    before = Path("/proc/self/cgroup").read_text()
    for place in groups._places:
        cgroups.hurry(place)
    assert Path("/proc/self/cgroup").read_text() == before


def test_to_hurry_is_to_enter_the_group_one_is_in(unified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = unified / "service" / "cgroup.procs"
    own.parent.mkdir()
    own.write_text("")
    said = unified / "proc-self-cgroup"
    said.write_text("4:memory:/elsewhere\n0::/unit/service\n")
    monkeypatch.setattr(cgroups, "_OWN", said)
    place = cgroups._Place(2, unified, ("memory", "pids"))
    cgroups.hurry(place)
    assert own.read_text() == "0"
    own.unlink()
    own.mkdir()  # it cannot be written; a child then waits for itself
    cgroups.hurry(place)
