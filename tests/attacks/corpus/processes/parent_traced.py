"""Takes over its parent process, which starts the next renders, by tracing it.

Every later render would be a copy of what it made of it.
"""

import os

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # a parent with more rights cannot be traced

SEIZE = 0x4206


def attack(target):
    target.syscall("ptrace", SEIZE, os.getppid(), 0, 0)
    return "traces it"
