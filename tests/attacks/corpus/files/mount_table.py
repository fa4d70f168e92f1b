"""Reads where the host keeps its data from the table of mounts.

A path of the host is half of the next attack.
"""

from pathlib import Path

EXPECT = "stopped"
BARE = {"stopped", "escaped"}  # unless the data has a mount of its own


def attack(target):
    table = Path("/proc/self/mountinfo").read_text()
    return [line for line in table.splitlines() if target.data in line]
