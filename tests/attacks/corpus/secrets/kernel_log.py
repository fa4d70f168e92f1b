"""Reads the kernel's log.

It shows addresses, devices and what else happened on the machine.
"""

import contextlib
import ctypes
import os

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels differ in whom they show it to


def attack(target):
    with contextlib.suppress(OSError):
        return os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    return target.syscall("syslog", 3, ctypes.create_string_buffer(256), 256)
