"""Watches a folder of the host for what happens in it.

Names and times of other people's files tell what they do.
"""

import os

EXPECT = "stopped"


def attack(target):
    watch = target.syscall("inotify_init1", os.O_CLOEXEC)
    target.syscall("inotify_add_watch", watch, target.folder.encode(), 0xFFF)
    return "watches it"
