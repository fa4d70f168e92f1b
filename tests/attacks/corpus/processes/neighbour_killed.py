"""Kills another render.

One customer's scene would end another's.
"""

import contextlib
import os
import signal

EXPECT = "stopped"


def attack(target):
    killed = []
    for pid in target.neighbour:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
    return killed
