"""Reads the environment of every process that it can see.

One process with a key in its environment is enough.
"""

import contextlib
import glob
from pathlib import Path

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # processes with more rights than a render are out of its reach


def attack(target):
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        with contextlib.suppress(OSError):
            environment = Path(path).read_bytes()
            if b"SECRET" in environment or b"TEST_MARKER" in environment:
                found.append(path)
    return found
