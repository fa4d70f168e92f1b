"""Puts links to a folder of the host where its own folders were, for the service to clear or own (CVE-2024-28185).

Judge0 wrote, and later changed owners, through links that a program had left in its box.
"""

import os
import shutil

EXPECT = "stopped"
BARE = "stopped"  # what clears the folder does not follow links


def attack(target):
    for name in os.listdir("."):
        if os.path.isdir(name):
            shutil.rmtree(name)
        else:
            os.unlink(name)
        os.symlink(target.folder, name)
    for name in ("media", "tmp", "video.mp4", "poster.jpg", "scene.py"):
        if not os.path.lexists(name):
            os.symlink(target.folder, name)
