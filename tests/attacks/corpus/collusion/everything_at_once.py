"""Two renders at the same time take all the memory, processors, processes and files that one may have.

Each keeps to its own limits; the service and a third render must still get on.
"""

import os

EXPECT = "timeout"
BARE = "timeout"
REQUEST = {"timeout": 2}


def attack(target):
    ballast = b"x" * (target.memory // 4)
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
    for number in range(8):
        if os.fork() == 0:
            while True:
                open(f"file-{number}", "wb").write(ballast[: 1 << 20])
    while ballast and files:
        pass


def drive(host):
    host.together("one", "two")
