"""Reads a file that never ends as if it were a picture's.

Reading "all of it" is what most programs do with a file.
"""

EXPECT = {"out_of_memory", "stopped"}
BARE = {"out_of_memory", "stopped"}


def attack(target):
    with open("/dev/zero", "rb") as zeros:
        return len(zeros.read())
