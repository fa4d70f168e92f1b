"""Computes without end in many processes, so that other renders and the service get no time.

Time is shared out by process, so who has more of them gets more.
"""

import os

EXPECT = "timeout"
BARE = "timeout"
REQUEST = {"timeout": 1}


def attack(target):
    for _ in range(4):
        os.fork()
    while True:
        pass
