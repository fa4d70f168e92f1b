"""Starts many processes at once.

The machine has one table of processes for everybody.
"""

import os
import signal

EXPECT = {"stopped", "forbidden"}
BARE = {"escaped", "stopped", "forbidden"}  # a limit of the process itself, in every tier

MANY = 200


def attack(target):
    reader, writer = os.pipe()
    children = []
    try:
        while len(children) < MANY:
            pid = os.fork()
            if pid == 0:
                os.close(writer)
                os.read(reader, 1)  # until its parent is gone
                os._exit(0)
            children.append(pid)
        return f"{MANY} processes"
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
