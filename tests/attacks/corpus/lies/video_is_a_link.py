"""Reports as its video a symbolic link to a file of the host, which would be served (Compiler Explorer, 2024).

Whoever opens it with the service's rights serves its settings, its keys, its database.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"  # whoever collects follows no link, whatever the tier


def attack(target):
    os.symlink(target.secret_file, "video.mp4")
    target.say(target.finished("video.mp4"))
    os._exit(0)
