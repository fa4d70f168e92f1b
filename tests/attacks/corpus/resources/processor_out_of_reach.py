"""Computes without end inside a library that never comes back to the interpreter.

A time-out that the interpreter has to notice never comes.
"""

EXPECT = "timeout"
BARE = "timeout"
REQUEST = {"timeout": 1}


def attack(target):
    return pow(7, 10**8) > 0
