"""Opens the kernel's settings for writing: where core dumps go, what handles file types, the emergency key.

A core_pattern with a pipe runs a program as root, outside of everything.
"""

import contextlib
import os

EXPECT = "stopped"


def attack(target):
    opened = []
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/hostname",
        "/proc/sys/vm/drop_caches",
        "/proc/sys/fs/binfmt_misc/register",
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sysrq-trigger",
        "/sys/kernel/uevent_helper",
        "/sys/power/state",
    ):
        with contextlib.suppress(OSError):  # opened, never written to
            os.close(os.open(path, os.O_WRONLY))
            opened.append(path)
    return opened
