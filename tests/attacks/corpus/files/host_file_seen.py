"""Asks for size and times of a file of the host, without opening it.

Whether a file is there, how large it is and when it changed can be a secret.
"""

import os

EXPECT = "stopped"


def attack(target):
    return os.stat(target.secret_file)
