"""How many processors there are for this process: where it may run, and what its control groups grant."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def allowed() -> tuple[int, ...]:
    """Return the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))  # macOS, where the service starts, though it does not render there


def quota(groups: Path = CGROUPS, own: Path = OWN_GROUPS) -> float | None:
    """Return how many processors' time the control groups grant, or None where they do not bound it.

    Of the groups around this process the strictest counts: version 2's ``cpu.max``, version 1's ``cpu.cfs_quota_us``.
    """
    found: list[float] = []
    with suppress(OSError):
        for line in own.read_text(encoding="utf-8").splitlines():
            number, names, path = line.split(":", 2)
            if number == "0":
                found += _of_groups(groups, path, _version_2)
            elif "cpu" in names.split(","):
                found += _of_groups(groups / names, path, _version_1) or _of_groups(groups / "cpu", path, _version_1)
    return min(found, default=None)


def count() -> int:
    """Return how many processes can compute at once, at least 1."""
    granted = quota()
    number = len(allowed())
    return max(1, number if granted is None else min(number, math.floor(granted + 0.5)))


def _of_groups(root: Path, path: str, read: Callable[[Path], float | None]) -> list[float]:
    found = []
    group = root / path.lstrip("/")
    while True:
        with suppress(OSError, ValueError, ZeroDivisionError):
            granted = read(group)
            if granted is not None:
                found.append(granted)
        if group in {root, group.parent}:
            return found
        group = group.parent


def _version_2(group: Path) -> float | None:
    most, period = (group / "cpu.max").read_text(encoding="ascii").split()
    return None if most == "max" else int(most) / int(period)


def _version_1(group: Path) -> float | None:
    most = int((group / "cpu.cfs_quota_us").read_text(encoding="ascii"))
    return None if most <= 0 else most / int((group / "cpu.cfs_period_us").read_text(encoding="ascii"))
