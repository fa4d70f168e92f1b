"""Takes more memory than a render may have, each process a part that it may have.

Limits of a process are not limits of a render.
"""

import os
import time

EXPECT = {"out_of_memory", "stopped"}
BARE = {"escaped", "out_of_memory", "stopped"}  # a control group counts it, where there is one


def attack(target):
    share = target.memory // 3
    reader, writer = os.pipe()
    children = []
    for _ in range(8):
        children.append(os.fork())
        if children[-1] == 0:
            os.close(reader)
            try:
                taken = b"x" * share
                os.write(writer, b".")
                os.close(writer)
                time.sleep(5)
            finally:
                os._exit(len(taken) & 1)
    os.close(writer)
    while os.read(reader, 1):
        pass  # each says when it has all, or is killed for it
    time.sleep(0.5)
    living = [pid for pid in children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
    return len(living) >= 6 and f"{len(living) * share >> 20} MiB"
