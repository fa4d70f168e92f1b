"""Gives up the pages of a file, and asks later whether another render has read it meanwhile.

What lies in memory because somebody read it can be told from what does not.
"""

import os
import time

EXPECT = "stopped"
FILE = "/usr/bin/ldd"


def attack(target):
    descriptor = os.open(FILE, os.O_RDONLY)
    if target.step == "two":
        time.sleep(0.3)
        os.read(descriptor, 4096)
        time.sleep(0.5)
        return None
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            os.preadv(descriptor, [bytearray(4096)], 0, os.RWF_NOWAIT)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        return "it is in memory"
    raise PermissionError("nothing was seen")


def drive(host):
    host.together("one", "two")
