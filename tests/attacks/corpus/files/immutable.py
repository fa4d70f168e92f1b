"""Makes a file that nobody may remove, with an attribute of the file system.

The working folder could never be cleared.
"""

import array
import errno
import fcntl

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    with open("rock", "w") as rock:
        try:
            fcntl.ioctl(rock, 0x40086602, array.array("l", [0x10]))
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EOPNOTSUPP):
                return None  # this file system knows no such attributes
            raise
    return "it cannot be removed"
