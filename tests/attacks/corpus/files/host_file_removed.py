"""Removes a file of the host.

What a machine needs to start again may be among them.
"""

import os

EXPECT = "stopped"


def attack(target):
    os.unlink(target.secret_file)
    return "removed it"
