"""Starts as many processes as it may, so that another render cannot start any.

Limits that count what a user has, count all its renders together.
"""

import os
import signal
import time

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # renders of a service that runs as root are not counted by their user


def attack(target):
    if target.step == "hog":
        children = []
        try:
            while len(children) < target.most_processes - 4:
                if (pid := os.fork()) == 0:
                    time.sleep(30)
                children.append(pid)
        except BlockingIOError:
            pass
        time.sleep(1)
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        return None
    end = time.monotonic() + 0.8
    try:
        while time.monotonic() < end:
            if (pid := os.fork()) == 0:
                os._exit(0)
            os.waitpid(pid, 0)
    except BlockingIOError:
        return "it was refused its first process"


def drive(host):
    host.together("hog", "hog", "other")
