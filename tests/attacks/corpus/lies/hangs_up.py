"""Closes its line to the service, and computes on where nobody hears it.

A render that nobody hears must not count as one that has ended.
"""

import os
import time

EXPECT = {"timeout", "killed", "forbidden"}
BARE = {"timeout", "killed", "forbidden"}
REQUEST = {"timeout": 1}


def attack(target):
    os.close(target.wire())
    time.sleep(60)
