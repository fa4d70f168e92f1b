"""Opens very many files at once.

The machine has one table of open files for everybody.
"""

import os

EXPECT = "stopped"
BARE = "stopped"  # a limit of the process itself, in every tier

MANY = 5000


def attack(target):
    for _ in range(MANY):
        os.open("/dev/null", os.O_RDONLY)
    return f"{MANY} descriptors"
