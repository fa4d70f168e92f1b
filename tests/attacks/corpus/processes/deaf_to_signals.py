"""Ignores every signal that can be ignored, and sleeps.

Who only asks it to stop, waits for ever.
"""

import signal
import time

EXPECT = "timeout"
BARE = "timeout"
REQUEST = {"timeout": 1}


def attack(target):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    time.sleep(60)
    return "slept on"
