"""Computes without end.

It is what a mistake in a loop does, too.
"""

EXPECT = "timeout"
BARE = "timeout"
REQUEST = {"timeout": 1}


def attack(target):
    while True:
        pass
