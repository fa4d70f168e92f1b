"""The CPU time of a process and of everything that it started, whether it still runs or not."""

from __future__ import annotations

import os
import time
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
SETTLING_SECONDS = 2.0


def tree(root: int) -> set[int]:
    """Return the ids of ``root`` and of all that descend from it and are there now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, ahead = set[int](), [root]
    while ahead:
        process = ahead.pop()
        found.add(process)
        ahead += children.get(process, [])
    return found


def cpu_seconds(root: int) -> float:
    """Return what the tree under ``root`` has used so far, in user and system mode.

    Processes that have ended are counted by the kernel with the process that waited for them. Only what nobody waits
    for is lost.
    """
    ticks = 0
    for process in tree(root):
        if fields := _stat(process):
            ticks += sum(int(field) for field in fields[11:15])
    return ticks * TICK


def settle(root: int, idle: set[int]) -> None:
    """Wait until nothing runs under ``root`` but what did in ``idle``, for two seconds at most."""
    until = time.monotonic() + SETTLING_SECONDS
    while tree(root) - idle and time.monotonic() < until:
        time.sleep(0.01)


def _stat(process: int) -> list[str] | None:
    """Return the fields of ``/proc/PID/stat`` from the third one on."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
