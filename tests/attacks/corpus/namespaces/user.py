"""Makes a user namespace, in which it has every capability.

From there, most of the kernel's code for administrators can be reached, holes and all.
"""

EXPECT = "stopped"

NEWUSER = 0x10000000


def attack(target):
    return target.in_child(lambda: target.syscall("unshare", NEWUSER) == 0)
