"""Two renders at the same time lock a file that both may only read, and learn of each other by that.

Bit by bit, one can tell the other what it may not; and nobody else can lock that file any more.
"""

import fcntl
import time

EXPECT = "stopped"


def attack(target):
    with open("/usr/bin/env", "rb") as file:
        if target.step == "one":
            fcntl.flock(file, fcntl.LOCK_EX)
            time.sleep(3)
            return None
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.flock(file, fcntl.LOCK_UN)
            except BlockingIOError:
                return "the other one has it"
            time.sleep(0.01)


def drive(host):
    host.together("one", "two")
