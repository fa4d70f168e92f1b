"""Watches files with fanotify, which reports what other processes do with them.

It shows which files others open, and can hold them up.
"""

import os

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels differ in whom they let

REPORT_FID = 0x200


def attack(target):
    return f"descriptor {target.syscall('fanotify_init', REPORT_FID, os.O_RDONLY)}"
