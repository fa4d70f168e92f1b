"""Makes device files of its own: memory, disks.

A disk's device file gives every file on it.
"""

import contextlib
import os
import stat

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    made = []
    for kind, major, minor in (
        (stat.S_IFCHR, 1, 1),
        (stat.S_IFCHR, 1, 11),
        (stat.S_IFBLK, 8, 0),
        (stat.S_IFBLK, 254, 0),
        (stat.S_IFBLK, 259, 0),
    ):
        with contextlib.suppress(OSError):
            os.mknod(f"device-{major}-{minor}", kind | 0o666, os.makedev(major, minor))
            made.append(f"{major}:{minor}")
    return ", ".join(made)
