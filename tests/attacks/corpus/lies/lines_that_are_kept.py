"""Has as much to say as fits into its messages, in letters that take four times their size when they are kept.

What a render says is remembered for those who ask a moment late; three renders took two gigabytes.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    frame = {"type": "log", "level": "info", "text": "x" * 7990 + "\U0001f3ac"}
    for _ in range(200):
        target.say(*[frame] * 20)
    os._exit(0)
