"""Puts the setuid bit on a file of its own, by each of the ways to do it.

Outside, anybody could run it with the rights of the user that renders run as.
"""

import contextlib
import os
import stat

EXPECT = "stopped"


def attack(target):
    made = []
    descriptor = os.open("tool", os.O_CREAT | os.O_RDWR, 0o700)
    for change in (
        lambda: os.chmod("tool", 0o4755),
        lambda: os.fchmod(descriptor, 0o4755),
        lambda: os.chmod("tool", 0o4755, dir_fd=os.open(".", os.O_RDONLY)),
        lambda: target.syscall("fchmodat2", -100, b"tool", 0o4755, 0),
        lambda: os.close(os.open("born", os.O_CREAT | os.O_WRONLY, 0o4755)),
        lambda: os.mknod("node", stat.S_IFREG | 0o4755),
    ):
        with contextlib.suppress(OSError):
            change()
    for name in ("tool", "born", "node"):
        with contextlib.suppress(OSError):
            if os.stat(name).st_mode & stat.S_ISUID:
                made.append(name)
    return ", ".join(made)
