"""Reads what every process on the machine was started with.

Programs get passwords as arguments more often than they should.
"""

import contextlib
import glob
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = Path(path).read_bytes().replace(b"\0", b" ")
            if b"86399" in line or b"run.py" in line:
                found.append(line)
    return found
