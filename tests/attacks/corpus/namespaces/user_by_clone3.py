"""Makes a user namespace with clone3, whose flags lie in memory where no filter can see them.

It must not be there at all, as on a kernel that does not know it yet.
"""

import ctypes
import os
import signal
import struct

EXPECT = "stopped"

NEWUSER = 0x10000000


def attack(target):
    arguments = ctypes.create_string_buffer(struct.pack("QQQQQQQQ", NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0))
    pid = target.syscall("clone3", arguments, 64)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return f"process {pid}"
