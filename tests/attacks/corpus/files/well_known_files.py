"""Looks for what lies on any host: hashed passwords, keys, logs, homes.

The names alone tell a lot; so nothing of it is there, not even to be listed.
"""

import contextlib
import os

EXPECT = "stopped"

FILES = (
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/machine-id",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/fstab",
    "/etc/crontab",
    "/etc/ssh",
    "/etc/ssl/private",
    "/etc/apt",
    "/etc/cron.d",
    "/boot",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/root",
    "/run",
    "/srv",
    "/sys/class",
    "/sys/fs/cgroup",
    "/var/backups",
    "/var/lib/apt",
    "/var/lib/dpkg",
    "/var/log",
    "/var/mail",
    "/var/run",
    "/var/spool",
    "/var/tmp",
)


def attack(target):
    there = []
    for path in FILES:
        with contextlib.suppress(OSError):
            if not os.path.isdir(path):
                os.close(os.open(path, os.O_RDONLY))
                there.append(path)
            elif os.listdir(path):
                there.append(path)
    return ", ".join(there)
