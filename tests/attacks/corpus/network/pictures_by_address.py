"""Names addresses in the network where manim takes files: pictures, drawings, sounds.

Libraries that "also take URLs" make requests in the service's name.
"""

import contextlib

from manim import ImageMobject, SVGMobject

EXPECT = "stopped"
BARE = "stopped"  # manim looks for files only


def attack(target):
    address = f"http://127.0.0.1:{target.tcp_port}/a"
    for use in (
        lambda: ImageMobject(f"{address}.png"),
        lambda: SVGMobject(f"{address}.svg"),
        lambda: target.scene.add_sound(f"{address}.wav"),
    ):
        with contextlib.suppress(OSError):
            use()
            return "it was fetched"
