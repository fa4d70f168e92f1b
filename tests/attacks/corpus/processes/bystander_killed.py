"""Kills a process of the host that belongs to the same user, by number and by descriptor.

Numbers and descriptors are two doors to the same process; both must be closed.
"""

import contextlib
import os
import signal

EXPECT = "stopped"


def attack(target):
    with contextlib.suppress(OSError):
        os.kill(target.bystander, signal.SIGKILL)
        return "killed it"
    handle = target.syscall("pidfd_open", target.bystander, 0)
    target.syscall("pidfd_send_signal", handle, signal.SIGKILL, None, 0)
    return "killed it by descriptor"
