"""Changes mode, times and extended attributes of a file of the host.

Landlock has no say in any of these.
"""

import contextlib
import os

EXPECT = "stopped"


def attack(target):
    done = []
    for change in (
        lambda: os.chmod(target.secret_file, 0o600),
        lambda: target.syscall("fchmodat2", -100, target.secret_file.encode(), 0o604, 0),
        lambda: os.utime(target.secret_file, (1, 1)),
        lambda: os.setxattr(target.secret_file, "user.was", b"here"),
        lambda: os.chown(target.secret_file, os.getuid(), os.getgid()),
    ):
        with contextlib.suppress(OSError):
            change()
            done.append("changed")
    return ", ".join(done)
