"""Leaves many pictures with nothing in them, each as large as a poster may be.

They take no room in the render and all of it on the host.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(b"a video")
    body = target.finished("video.mp4")
    for number in range(20):
        name = f"poster{number}.jpg"
        with open(name, "wb") as picture:
            picture.truncate(1 << 22)
        body["report"]["files"] = [*body["report"]["files"], {"role": "poster", "name": name, "bytes": 1}]
    target.say(body)
    os._exit(0)
