"""Reports more files than a scene can have, and one file many times.

Each is a file on the host, a row in a table and a link to be signed.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    for name in ("video.mp4", "other.mp4"):
        with open(name, "wb") as video:
            video.write(b"a video")
    names = ["video.mp4"] * 3 if target.step == "same" else [f"v{number}.mp4" for number in range(2000)]
    target.say(target.finished(*names))
    os._exit(0)


def drive(host):
    for step in ("same", "many"):
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
