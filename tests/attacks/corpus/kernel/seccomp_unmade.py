"""Undoes its own confinement: the promise of no new rights, the dropped capabilities, the user.

Confinement that its prisoner can take off is none.
"""

import contextlib
import ctypes
import os
import struct

EXPECT = "stopped"
BARE = "stopped"  # the kernel does not take these back

PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN = 38, 47, 2, 21


def attack(target):
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("Ii", 0x20080522, 0)
    everything = struct.pack("IIIIII", *[0xFFFFFFFF] * 6)
    regained = []
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0:
        regained.append("new rights")
    if libc.capset(header, everything) == 0:
        regained.append("capabilities")
    if libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) == 0:
        regained.append("ambient capabilities")
    if os.getuid():
        with contextlib.suppress(OSError):
            os.setuid(0)
            regained.append("root")
    with contextlib.suppress(OSError):
        os.setgroups([0])
        regained.append("groups")
    return regained
