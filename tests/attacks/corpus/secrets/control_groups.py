"""Opens the files of control groups: to leave the render's own, to raise its limits, or to run a program as root.

The release_agent of the first version is a program that the kernel runs outside of everything (CVE-2022-0492).
"""

import contextlib
import os

EXPECT = "stopped"


def attack(target):
    opened = []
    for folder, _, names in os.walk("/sys/fs/cgroup"):
        for name in {"cgroup.procs", "tasks", "release_agent", "memory.max", "pids.max"} & set(names):
            with contextlib.suppress(OSError):  # opened, never written to
                os.close(os.open(f"{folder}/{name}", os.O_WRONLY))
                opened.append(f"{folder}/{name}")
        if opened:
            break
    return opened
