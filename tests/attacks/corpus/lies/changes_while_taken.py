"""Says that it is finished, lives on, and swaps its video for a link, over and over, while the service takes it.

What was looked at must be what is copied, byte for byte.
"""

import os
import threading

EXPECT = {"rendered", "forbidden"}
BARE = {"rendered", "forbidden"}  # whoever collects holds on to what it has opened and looked at


def attack(target):
    with open("plain.mp4", "wb") as video:
        video.write(b"a video")

    def swap():
        while True:
            for source in ("plain.mp4", target.secret_file):
                os.symlink(source, "next")
                os.rename("next", "video.mp4")
                with open("next", "wb") as video:
                    video.write(b"a video")
                os.rename("next", "video.mp4")

    threading.Thread(target=swap, daemon=True).start()
    while not os.path.exists("video.mp4"):
        pass
    target.say(target.finished("video.mp4"))
    threading.Event().wait()


def drive(host):
    answer = host.render()
    if answer.outcome == "rendered" and host.client.get(answer.video_url).content != b"a video":
        return "something else was served"
