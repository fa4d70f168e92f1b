"""Moves a file of its own over a file of the host.

The folder's owner then runs, or believes, what the scene wrote.
"""

import os
from pathlib import Path

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # between two file systems nothing can be moved


def attack(target):
    Path("mine").write_text("mine")
    os.rename("mine", target.secret_file)
    return "replaced it"
