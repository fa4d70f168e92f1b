"""Takes away what was mounted over the host's /proc, to see what is below.

What is covered is still there, for whoever can lift the cover.
"""

import contextlib
import errno
import os

EXPECT = "stopped"

NEWUSER, NEWNS, DETACH = 0x10000000, 0x00020000, 2


def attack(target):
    def uncovered():
        if os.path.exists(f"/proc/{target.bystander}"):
            return "there is no cover"
        with contextlib.suppress(PermissionError):  # perhaps it works without
            target.syscall("unshare", NEWUSER | NEWNS)
        try:
            target.syscall("umount2", b"/proc", DETACH)
        except OSError as error:
            if error.errno != errno.EINVAL:  # locked together with the rest
                raise
        return os.path.exists(f"/proc/{target.bystander}")

    return target.in_child(uncovered)
