"""Cuts a file of the host by its path, without opening it.

Landlock covers that only since its third version.
"""

import os

EXPECT = "stopped"


def attack(target):
    os.truncate(target.secret_file, 3)
    return "cut it"
