"""Computes without end in many processes, each in a session of its own.

A kernel that shares out time by session gives each of them as much as it gives the service.
"""

import os

EXPECT = "timeout"
BARE = "timeout"
REQUEST = {"timeout": 1}


def attack(target):
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
    while True:
        pass
