"""Prints without end.

Who keeps a log, fills the memory or the disk with it.
"""

EXPECT = "output_too_large"
BARE = "output_too_large"


def attack(target):
    while True:
        print("x" * 1000)
