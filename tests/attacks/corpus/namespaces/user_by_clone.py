"""Makes a user namespace with clone, which cannot be forbidden altogether.

Forking needs it; only its flags tell what it is used for.
"""

import os
import signal

EXPECT = "stopped"
MACHINES = {"x86_64"}

CLONE, NEWUSER = 56, 0x10000000


def attack(target):
    pid = target.syscall(CLONE, NEWUSER | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return f"process {pid}"
