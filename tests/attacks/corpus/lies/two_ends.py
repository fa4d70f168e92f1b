"""Says twice how it ended: failed for the client, and finished.

The client must not be told one thing, and the table another.
"""

import os

EXPECT = {"no_scene", "forbidden"}
BARE = {"no_scene", "forbidden"}

FAILED = {"type": "failed", "error": {"code": "no_scene", "message": "first"}}


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(b"not asked for")
    target.say(FAILED, target.finished("video.mp4"))
    os._exit(0)


def drive(host):
    answer = host.render()
    if answer.outcome == "rendered":
        return "the second end was believed"
