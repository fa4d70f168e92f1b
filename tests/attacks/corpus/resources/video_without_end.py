"""Draws a video that never ends, and says that its animations are short.

What counts is what is drawn, not what is announced.
"""

EXPECT = "output_too_large"
BARE = "output_too_large"
REQUEST = {"resolution": {"width": 64, "height": 36}, "frame_rate": 120}


def attack(target):
    while True:
        target.scene.wait(10)
