"""How many processors there are for this process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manimcast import processors


def groups(folder: Path, own: str, files: dict[str, str]) -> float | None:
    """Return the quota that control groups with ``files`` grant to a process in the groups ``own``."""
    (folder / "own").write_text(own)
    for name, content in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return processors.quota(folder / "cgroup", folder / "own")


def test_those_that_it_may_run_on_count() -> None:
    assert processors.allowed() == tuple(sorted(os.sched_getaffinity(0)))
    assert 1 <= processors.count() <= len(processors.allowed())


def test_the_strictest_group_of_version_2_counts(tmp_path: Path) -> None:
    files = {"cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n", "a/b/cpu.max": "400000 100000\n"}
    assert groups(tmp_path, "0::/a/b\n", files) == 1.5


def test_version_1_has_a_quota_and_a_period(tmp_path: Path) -> None:
    files = {
        "cpu,cpuacct/x/cpu.cfs_quota_us": "200000\n",
        "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
        "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    }
    assert groups(tmp_path, "4:cpu,cpuacct:/x\n3:memory:/x\n0::/x\n", files) == 2.0


@pytest.mark.parametrize("own", ["0::/nowhere\n", "4:cpu:/\n", ""])
def test_without_a_bound_there_is_no_quota(tmp_path: Path, own: str) -> None:
    assert groups(tmp_path, own, {"cpu.max": "max 100000\n"}) is None


@pytest.mark.parametrize(("granted", "expected"), [(None, 4), (0.25, 1), (1.4, 1), (1.5, 2), (9.0, 4)])
def test_a_quota_is_rounded_to_whole_processors(
    monkeypatch: pytest.MonkeyPatch, granted: float | None, expected: int
) -> None:
    monkeypatch.setattr(processors, "allowed", lambda: (0, 1, 2, 3))
    monkeypatch.setattr(processors, "quota", lambda: granted)
    assert processors.count() == expected
