"""Fills the disk with many files that are each small enough.

A full disk stops the service, its database, and whatever else the machine does.
"""

import contextlib
import os

EXPECT = {"output_too_large", "out_of_memory", "stopped"}


def attack(target):
    written = 0
    try:
        while written < 1.5 * target.memory:
            with open(f"part-{written}", "wb") as file:
                for _ in range(2):
                    written += file.write(b"x" * (1 << 20))
    finally:
        for name in os.listdir("."):
            if name.startswith("part-"):
                with contextlib.suppress(OSError):
                    os.unlink(name)
    return f"{written >> 20} MiB"
