"""Climbs out of its own folder by going up, and looks for others there.

Renders that work side by side in one folder find each other.
"""

import glob

EXPECT = "stopped"


def attack(target):
    others = ("diary.txt", "*/diary.txt", "manimcast.db", "signing.key", "videos", "rnd_*")
    return [found for up in ("..", "../..", "../../..") for name in others for found in glob.glob(f"{up}/{name}")]
