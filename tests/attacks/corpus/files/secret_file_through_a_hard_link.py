"""Gives a file of the host a second name in the render's own folder.

What lies in the render's folder is the render's: it could be read, or delivered as its video.
"""

import os

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # where the folders lie on two file systems, there are no hard links


def attack(target):
    os.link(target.secret_file, "mine.txt")
    return "it has a second name"
