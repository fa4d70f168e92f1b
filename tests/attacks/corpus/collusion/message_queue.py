"""Two renders at the same time share a queue of messages of the kernel.

Queues belong to nobody's files, and outlive who made them.
"""

import errno
import os
import time

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # a limit of the process itself, on queues

READ_AND_MAKE = os.O_RDWR | os.O_CREAT


def attack(target):
    name = os.path.basename(target.folder).encode()
    if target.step == "one":
        target.syscall("mq_open", name, READ_AND_MAKE, 0o666, None)
        time.sleep(3)
        target.syscall("mq_unlink", name)
        return None
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            return f"queue {target.syscall('mq_open', name, os.O_RDWR, 0, None)}"
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        time.sleep(0.01)


def drive(host):
    host.together("one", "two")
