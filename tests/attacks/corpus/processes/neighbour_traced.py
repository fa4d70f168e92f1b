"""Takes over another render by tracing it.

Who traces a process is that process, with its files and its line to the service.
"""

import contextlib

EXPECT = "stopped"

SEIZE = 0x4206


def attack(target):
    for pid in target.neighbour:
        with contextlib.suppress(OSError):
            target.syscall("ptrace", SEIZE, pid, 0, 0)
            return "traces it"
