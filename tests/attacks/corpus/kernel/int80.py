"""Calls the kernel by the door for 32-bit programs, where numbers mean other calls.

A filter that looks at numbers only lets through what it never meant to.
"""

import signal

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels are built without it
MACHINES = {"x86_64"}

GETPID = "53 b814000000 cd80 5b c3"  # push rbx; mov eax, 20; int 0x80; pop rbx; ret


def attack(target):
    return target.in_child(
        lambda: f"getpid says {target.machine_code(GETPID)}", killed_by=(signal.SIGSYS, signal.SIGKILL, signal.SIGSEGV)
    )
