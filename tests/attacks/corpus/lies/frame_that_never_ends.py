"""Announces a message and never sends the rest of it.

Who waits for the rest without a clock, waits for ever.
"""

import time

EXPECT = "timeout"
BARE = "timeout"
REQUEST = {"timeout": 1}


def attack(target):
    target.send(b"\x00\x07\x00\x00{")
    time.sleep(60)
