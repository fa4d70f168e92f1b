"""Reports many sections that are files with holes: nothing here, gigabytes where they are copied to.

A few kilobytes in the render fill the disk of the host when they are copied.
"""

import os

EXPECT = {"forbidden", "output_too_large"}
BARE = {"escaped", "forbidden", "output_too_large"}

MANY = 20


def attack(target):
    import resource

    most = min(resource.getrlimit(resource.RLIMIT_FSIZE)[0], 1 << 24)
    names = [f"s{number}.mp4" for number in range(MANY)]
    for name in names:
        with open(name, "wb") as video:
            video.truncate(most)
    target.say(target.finished(*names))
    os._exit(0)


def drive(host):
    answer = host.render()
    if answer.outcome == "rendered":
        folder = host.server.data / "videos" / answer.render_id
        return f"{sum(path.stat().st_size for path in folder.iterdir()) >> 20} MiB, many times what a video may have"
