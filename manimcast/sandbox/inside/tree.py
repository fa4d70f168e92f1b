"""The processes of a render: who they are, what they hold, how to end them all."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(root: int, *, at_most: int | None = None) -> list[int]:
    """Return ``root`` and every process below it, parents first; the search ends when more than ``at_most`` are found.

    A fork bomb grows faster than its whole family can be listed.
    """
    found = [root]
    for pid in found:
        found += children(pid)
        if at_most is not None and len(found) > at_most:
            break
    return found


def children(pid: int) -> list[int]:
    """Return the processes that ``pid`` started or adopted."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def threads(pids: list[int]) -> int:
    """Return how many threads ``pids`` have together."""
    count = 0
    for pid in pids:
        with suppress(OSError):
            count += sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    return count


def resident(pids: list[int]) -> int:
    """Return the bytes that ``pids`` hold together, counting a page once for each process that shares it."""
    return sum(map(_resident, pids))


def proportional(pids: list[int]) -> int:
    """Return the bytes that ``pids`` hold together. Exact, and slow: the kernel goes through all their pages."""
    return sum(map(_proportional, pids))


def own_size() -> tuple[int, int]:
    """Return the bytes of address space that this process has mapped, and those that are resident."""
    mapped, resident = Path("/proc/self/statm").read_text().split()[:2]
    return int(mapped) * _PAGE, int(resident) * _PAGE


def end_descendants() -> None:
    """Kill every descendant of this process, again and again until none is left. It must have adopted orphans."""
    while True:
        for pid in descendants(os.getpid())[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _resident(pid: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)
