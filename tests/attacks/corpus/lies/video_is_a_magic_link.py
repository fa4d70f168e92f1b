"""Reports as its video a link into /proc, which leads to what whoever follows it has open.

The environment of the service itself would be the video.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"  # whoever collects follows no link, whatever the tier


def attack(target):
    os.symlink("/proc/self/environ", "video.mp4")
    target.say(target.finished("video.mp4"))
    os._exit(0)
