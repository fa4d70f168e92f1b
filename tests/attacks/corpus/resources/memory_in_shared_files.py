"""Writes more into the folder of shared memory than a render may have.

It is memory that stays when the process is gone.
"""

import os

EXPECT = {"out_of_memory", "stopped"}
BARE = {"escaped", "out_of_memory"}  # a control group counts it, where there is one


def attack(target):
    names, written = [], 0
    try:
        while written < 1.5 * target.memory:
            names.append(f"/dev/shm/{os.path.basename(target.folder)}-{len(names)}")
            with open(names[-1], "wb") as file:
                for _ in range(2):
                    written += file.write(b"x" * (1 << 20))
        return f"{written >> 20} MiB"
    finally:
        for name in names:
            if os.path.exists(name):
                os.unlink(name)
