"""Leaves its root folder by making a new one below an open one (the oldest way out there is).

It needs one right only, which a user namespace gives.
"""

import os

EXPECT = "stopped"

NEWUSER = 0x10000000


def attack(target):
    def outside():
        top = os.open("/", os.O_RDONLY)
        os.mkdir("cell")
        target.syscall("unshare", NEWUSER)
        target.syscall("chroot", b"cell")
        os.fchdir(top)
        for _ in range(64):
            os.chdir("..")
        os.chroot(".")
        return os.listdir(target.folder)

    return target.in_child(outside)
