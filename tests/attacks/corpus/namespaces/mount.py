"""Mounts a file system of its own, in namespaces of its own.

Mounts hide files, replace programs and cover what the sandbox has put there.
"""

EXPECT = "stopped"

NEWUSER, NEWNS = 0x10000000, 0x00020000


def attack(target):
    def mounted():
        target.syscall("unshare", NEWUSER | NEWNS)
        return target.syscall("mount", b"none", b"/tmp", b"tmpfs", 0, None) == 0

    return target.in_child(mounted)
