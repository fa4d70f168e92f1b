"""Reports as its video a file that has another name, by which it can be changed after it was taken.

Or that name is a file of the host, made into a video by a hard link.
"""

import contextlib
import os

EXPECT = "forbidden"
BARE = "forbidden"  # whoever collects takes no such file, whatever the tier


def attack(target):
    with contextlib.suppress(OSError):
        os.link(target.secret_file, "video.mp4")
    if not os.path.exists("video.mp4"):
        with open("other.mp4", "wb") as video:
            video.write(b"a video")
        with contextlib.suppress(OSError):
            os.link("other.mp4", "video.mp4")
    target.say(target.finished("video.mp4"))
    os._exit(0)
