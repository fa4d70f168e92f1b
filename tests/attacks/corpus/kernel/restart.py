"""Restarts the machine.

The call is made with wrong magic numbers: what matters is whether they are looked at.
"""

import errno

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    try:
        target.syscall("reboot", 0, 0, 0, None)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return "the kernel looked at the numbers"
        raise
