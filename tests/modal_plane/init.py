"""The first process of a container: whatever starts inside ends with it, as in a real container.

Run as ``python -I -S init.py REPORT PLANE COMMAND...``. It starts COMMAND in a session of its own, writes its process
id to the file descriptor REPORT, and waits. Once COMMAND ends, or the control plane (process PLANE) is gone, every
process that came of it is killed, also one that made itself a daemon: orphans come back here, because this process
is their subreaper. Exits as COMMAND did; 128 + signal when one killed it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class PlaneGoneError(Exception):
    """The control plane ended, so its containers end."""


def main(report: int, plane: int, command: list[str]) -> int:
    """Run ``command`` to its end and leave nothing of it behind."""

    def on_end(_number: int, _frame: FrameType | None) -> None:
        raise PlaneGoneError

    signal.signal(signal.SIGTERM, on_end)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    try:
        if os.getppid() != plane:
            return 1
        child = os.fork()
        if child == 0:
            os.close(report)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.setsid()
            os.execvp(command[0], command)
        os.write(report, f"{child}\n".encode())
        while True:
            pid, status = os.wait()
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
    except PlaneGoneError:
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        kill_children()


def kill_children() -> None:
    """Kill until there are none: the children of a killed one become ours, and their turn comes next."""
    while True:
        for pid in children(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def children(parent: int) -> list[int]:
    """Return the processes whose parent is ``parent``."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in brackets, may hold anything; what follows the last bracket is state and parent.
                if int((path / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(path.name))
    return found


if __name__ == "__main__":
    # Nobody waits for this process's own tidying of memory, and a half-forked state must not run it.
    os._exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
