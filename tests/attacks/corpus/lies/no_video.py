"""Says that it is finished, without any video, without the one it names, or with one of another format.

A success without a video would be stored, linked and paid for.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"

REPORTS = {
    "none": {"files": []},
    "only a poster": {"files": [{"role": "poster", "name": "poster.jpg", "bytes": 1}]},
    "missing": {"files": [{"role": "video", "name": "video.mp4", "bytes": 1}]},
    "format": {"format": "gif"},
    "unknown format": {"format": "exe"},
    "role": {"files": [{"role": "program", "name": "poster.jpg", "bytes": 1}]},
}


def attack(target):
    with open("poster.jpg", "wb") as poster:
        poster.write(b"a picture")
    target.say(target.finished("poster.jpg", **REPORTS[target.step]))
    os._exit(0)


def drive(host):
    for step in REPORTS:
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
