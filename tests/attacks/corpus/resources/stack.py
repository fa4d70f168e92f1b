"""Exhausts the stack of the interpreter itself.

The end comes as a signal, without an exception to be told.
"""

import sys

EXPECT = {"killed", "out_of_memory"}
BARE = {"killed", "out_of_memory"}


def attack(target):
    sys.setrecursionlimit(1 << 30)
    nested = None
    for _ in range(1_000_000):
        nested = [nested]
    return repr(nested) and None
