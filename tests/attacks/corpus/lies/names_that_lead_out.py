"""Reports files with names that lead out of its folder.

What it reports is copied, and served to whoever asks.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"  # the service takes nothing on trust, whatever the tier

NAMES = (
    "{secret}",
    "../../../../../../../../..{secret}",
    "../video.mp4",
    "media/video.mp4",
    "video.mp4\x00.mp4",
    "video.mp4\n",
    ".video.mp4",
    "..",
    "",
    "a" * 300 + ".mp4",
    "%2e%2e%2fvideo.mp4",
    "/proc/self/fd/0",
)


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(b"a video")
    target.say(target.finished(NAMES[int(target.step)].format(secret=target.secret_file)))
    os._exit(0)


def drive(host):
    for number, name in enumerate(NAMES):
        if host.render(step=str(number)).outcome != "forbidden":
            return f"{name!r}: {host.answers[-1].outcome}"
