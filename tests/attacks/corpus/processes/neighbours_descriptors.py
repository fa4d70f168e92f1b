"""Takes the descriptors of another render: its socket to the service, its files.

With the other's line, it says what the other has drawn.
"""

import contextlib

EXPECT = "stopped"


def attack(target):
    for pid in (*target.neighbour, target.bystander, target.service):
        with contextlib.suppress(OSError):
            handle = target.syscall("pidfd_open", pid, 0)
            return target.syscall("pidfd_getfd", handle, 1, 0)
