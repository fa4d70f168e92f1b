"""Loads a module into the kernel.

A module is the kernel: nothing confines it.
"""

import ctypes
import errno
import os

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    empty = os.open("empty.ko", os.O_CREAT | os.O_RDWR)
    refusals = []
    for load in (
        lambda: target.syscall("finit_module", empty, b"", 0),
        lambda: target.syscall("init_module", ctypes.create_string_buffer(16), 16, b""),
    ):
        try:
            load()
        except OSError as error:
            refusals.append(error.errno)
    return [number for number in refusals if number not in (errno.EPERM, errno.ENOSYS)]
