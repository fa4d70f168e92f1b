"""Forks, and has both processes speak to the service as the engine at the same time.

Forked drawing processes share the line, so messages can meet on it.
"""

import os

EXPECT = {"forbidden", "rendered", "killed"}
BARE = {"forbidden", "rendered", "killed"}


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(b"a video")
    os.fork()
    for index in range(1000):
        target.say({"type": "log", "level": "info", "text": f"{os.getpid()} {index}"})
    target.say(target.finished("video.mp4"))
    os._exit(0)
