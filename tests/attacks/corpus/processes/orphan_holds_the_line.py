"""Ends without a word, and leaves a child that holds the line to the service open.

Who waits for the line to close, waits for the child.
"""

import os
import time

EXPECT = "killed"
BARE = "killed"  # the service hears of the render's end from the process that forked it


def attack(target):
    if os.fork():
        os._exit(0)
    time.sleep(60)
