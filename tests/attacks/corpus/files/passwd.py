"""Reads /etc/passwd.

The names of a machine's users are where attacks on the machine begin.
"""

from pathlib import Path

EXPECT = "stopped"


def attack(target):
    others = [line for line in Path("/etc/passwd").read_text().splitlines() if line.startswith(("root:", "daemon:"))]
    return ", ".join(others)
