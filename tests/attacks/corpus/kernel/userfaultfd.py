"""Asks to handle page faults itself, which stops the kernel at chosen places.

Races in the kernel become certain to be won.
"""

EXPECT = "stopped"


def attack(target):
    return f"descriptor {target.syscall('userfaultfd', 1)}"
