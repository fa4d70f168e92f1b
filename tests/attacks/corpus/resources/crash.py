"""Follows a null pointer.

The process is gone in the middle of a word; nobody has written a message.
"""

import ctypes

EXPECT = "killed"
BARE = "killed"


def attack(target):
    ctypes.string_at(0)
