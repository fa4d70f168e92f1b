"""Reports as its video a folder.

Whoever copies whole folders copies whatever is in them.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    os.mkdir("video.mp4")
    target.say(target.finished("video.mp4"))
    os._exit(0)
