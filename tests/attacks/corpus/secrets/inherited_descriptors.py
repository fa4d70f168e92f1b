"""Looks for descriptors that it was not meant to inherit: sockets, databases, folders of the host.

An open folder leads past every mount (CVE-2024-21626 left runc's containers that way).
"""

import os
import stat

EXPECT = "stopped"
BARE = "stopped"  # every tier closes what a render is not given


def attack(target):
    found = []
    for descriptor in range(3, 1024):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        if descriptor != target.wire() and (stat.S_ISDIR(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode)):
            found.append((descriptor, oct(mode)))
    return found
