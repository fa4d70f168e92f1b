"""Reads a file of the host through a symbolic link in the render's own folder.

A check of the name that is opened says nothing about where the name leads.
"""

import os
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    os.symlink(target.secret_file, "innocent.txt")
    return Path("innocent.txt").read_text()
