"""Reads a file of the host that every user may read.

Keys, tokens and other people's data lie around on every machine.
"""

from pathlib import Path

EXPECT = "stopped"


def attack(target):
    return Path(target.secret_file).read_text()
