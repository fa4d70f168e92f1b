"""Writes into a file of another render while that runs.

It would draw what somebody else wants.
"""

import contextlib
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    places = [*Path(target.data, "work").glob("*/*"), *(Path(f"/proc/{pid}/cwd") for pid in target.neighbour)]
    for place in places:
        with contextlib.suppress(OSError):
            with (place / "diary.txt").open("r+") as diary:
                diary.write("I was here")
            return f"wrote into {place}"
