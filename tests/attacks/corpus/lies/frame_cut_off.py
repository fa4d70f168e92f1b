"""Ends in the middle of a message.

Half a message must not be taken for a whole one.
"""

import os

EXPECT = "killed"
BARE = "killed"


def attack(target):
    target.send(b"\x00\x00\x10\x00{")
    os._exit(0)
