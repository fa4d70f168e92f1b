"""Raises the limits that it was given.

A limit that can be raised by whom it limits is none.
"""

import contextlib
import resource

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    raised = []
    for name in ("AS", "CPU", "CORE", "FSIZE", "NOFILE", "NPROC", "MEMLOCK", "SIGPENDING", "MSGQUEUE"):
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, (hard + 1, hard + 1))
                raised.append(name)
    return raised
