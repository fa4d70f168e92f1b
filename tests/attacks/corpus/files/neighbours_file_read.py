"""Reads a file that another render has just written.

Somebody else's scene, pictures and data are in there.
"""

import contextlib
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    places = [*Path(target.data, "work").glob("*/*"), *(Path(f"/proc/{pid}/cwd") for pid in target.neighbour)]
    for place in places:
        with contextlib.suppress(OSError):
            return (place / "diary.txt").read_text()
