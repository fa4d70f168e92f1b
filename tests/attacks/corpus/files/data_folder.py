"""Lists the service's data folder: database, keys, every video.

From there, everything that was ever rendered here can be read.
"""

import os

EXPECT = "stopped"


def attack(target):
    return os.listdir(target.data)
