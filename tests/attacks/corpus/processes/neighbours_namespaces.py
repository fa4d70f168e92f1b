"""Moves into the namespaces of other processes.

There it would have the other's files, processes and network.
"""

import contextlib
import os

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # takes capabilities, which every tier gives up


def attack(target):
    for pid in (*target.neighbour, target.bystander, target.service, os.getppid(), 1):
        for kind in ("user", "mnt", "pid", "net", "ipc"):
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{pid}/ns/{kind}").st_ino == os.stat(f"/proc/self/ns/{kind}").st_ino:
                    continue
                target.syscall("setns", os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY), 0)
                return f"is in the {kind} namespace of {pid}"
