"""Takes priority and processors away from a process of the host.

A neighbour that is starved is as good as killed.
"""

import contextlib
import os
import resource

EXPECT = "stopped"


def attack(target):
    done = []
    for change in (
        lambda: os.setpriority(os.PRIO_PROCESS, target.bystander, 19),
        lambda: os.sched_setaffinity(target.bystander, {0}),
        lambda: resource.prlimit(target.bystander, resource.RLIMIT_CORE, (0, 0)),
    ):
        with contextlib.suppress(OSError):
            change()
            done.append("changed")
    return done
