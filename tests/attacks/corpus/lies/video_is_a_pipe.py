"""Reports as its video a pipe, at which whoever reads waits for ever.

One such render holds a thread of the service for ever.
"""

import os

EXPECT = {"forbidden", "stopped"}
BARE = "forbidden"


def attack(target):
    os.mkfifo("video.mp4")
    target.say(target.finished("video.mp4"))
    os._exit(0)
