"""Reports as its video a socket in the file system.

Whoever opens it may speak to somebody on the other side.
"""

import contextlib
import os
import stat

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    with contextlib.suppress(OSError):
        os.mknod("video.mp4", stat.S_IFSOCK | 0o600)
    target.say(target.finished("video.mp4"))
    os._exit(0)
