"""Starts many processes that end at once, and never takes note of their ends.

Each keeps its place in the machine's table of processes.
"""

import os

EXPECT = {"stopped", "forbidden"}
BARE = {"escaped", "stopped", "forbidden"}  # a limit of the process itself, in every tier

MANY = 200


def attack(target):
    for _ in range(MANY):
        if os.fork() == 0:
            os._exit(0)
    return f"{MANY} zombies"
