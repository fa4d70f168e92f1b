"""Reports versions that are not the service's, a cost that is not its own, and another seed.

Caches go by versions, bills by seconds.
"""

import os

EXPECT = {"rendered"}
BARE = {"rendered"}  # the service knows better, whatever the tier


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(b"a video")
    lies = {"fingerprint": {"manim": "99", "cpu": "x"}, "compute_seconds": 0, "seed": 99, "media_type": "text/html"}
    target.say(target.finished("video.mp4", **lies))
    os._exit(0)


def drive(host):
    honest = host.render("class Other(Scene):\n    def construct(self): self.wait(0.1)", format="png")
    honest = host.client.get(f"/v1/renders/{honest.render_id}").json()
    shown = host.client.get(f"/v1/renders/{host.render().render_id}").json()
    if shown["fingerprint"] != honest["fingerprint"]:
        return shown["fingerprint"]
    if not shown["result"] or shown["result"]["bytes"] != len(b"a video"):
        return "the size of the video is what it said"
    if "99" in str(shown.get("seed")):
        return "the seed is what it said"
