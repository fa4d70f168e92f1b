"""Writes more into files in memory than a render may have.

They belong to no process, so a watch on processes does not see them.
"""

import os

EXPECT = {"out_of_memory", "stopped"}
BARE = {"escaped", "out_of_memory"}  # a control group counts it, where there is one


def attack(target):
    written = 0
    while written < 1.5 * target.memory:
        file = target.syscall("memfd_create", b"", 0)
        for _ in range(2):
            written += os.write(file, b"x" * (1 << 20))
    return f"{written >> 20} MiB"
