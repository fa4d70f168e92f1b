"""Runs a program that is in no file system, from a file in memory.

Nothing that looks at paths or at mounts sees it.
"""

import os

EXPECT = "stopped"


def attack(target):
    program = target.syscall("memfd_create", b"program", 0)
    with open("/usr/bin/true", "rb") as true:
        os.write(program, true.read())
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(program, ["program"], {})
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
