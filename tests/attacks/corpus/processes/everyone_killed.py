"""Kills every process that it may send a signal to.

Where renders share a namespace of processes, that is every render, and the service.
"""

import os
import signal

EXPECT = {"stopped", "killed"}
DANGEROUS = "it would end every process of the user"


def attack(target):
    for pid in (target.bystander, target.service):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        return f"{pid} is in reach; nothing was sent"
    os.kill(-1, signal.SIGKILL)
