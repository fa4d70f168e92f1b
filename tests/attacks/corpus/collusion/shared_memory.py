"""Two renders at the same time share memory of the kind that belongs to no file.

System V's memory belongs to nobody's files, and outlives who made it.
"""

import ctypes
import errno
import time
import zlib

EXPECT = "stopped"

CREATE = 0o1000


def attack(target):
    key = zlib.crc32(target.folder.encode()) >> 1
    if target.step == "one":
        segment = target.syscall("shmget", key, 4096, CREATE | 0o666)
        time.sleep(3)
        ctypes.CDLL(None).shmctl(segment, 0, None)
        return None
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            return f"segment {target.syscall('shmget', key, 4096, 0o666)}"
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        time.sleep(0.01)


def drive(host):
    host.together("one", "two")
