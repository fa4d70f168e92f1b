"""Hands on from process to process, each of which lives for an instant only.

Who lists processes and then ends them, comes too late every time.
"""

import os
import time

EXPECT = {"timeout", "forbidden", "killed"}
BARE = {"timeout", "forbidden", "killed"}
REQUEST = {"timeout": 1}


def attack(target):
    end = time.monotonic() + 20
    if os.fork():
        time.sleep(30)
    try:
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            os.setsid()
    finally:
        os._exit(0)
