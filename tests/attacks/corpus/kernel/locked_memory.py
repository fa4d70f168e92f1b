"""Locks memory that may then never be moved or reclaimed.

The machine can then only end processes, and may choose the wrong ones.
"""

import ctypes

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # the usual limit of a user is small

LENGTH = 64 << 20


def attack(target):
    libc = ctypes.CDLL(None, use_errno=True)
    block = ctypes.create_string_buffer(LENGTH)
    if libc.mlock(block, ctypes.c_size_t(LENGTH)):
        raise OSError(ctypes.get_errno(), "mlock")
    return f"{LENGTH >> 20} MiB"
