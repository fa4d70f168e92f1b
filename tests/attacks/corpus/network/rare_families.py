"""Makes sockets of the families that hardly anybody uses, and hardly anybody has looked at.

Their code is old, loaded on demand, and where many ways to root began.
"""

import contextlib
import socket

EXPECT = "stopped"
DANGEROUS = "the kernel would load modules for them"


def attack(target):
    made = []
    for family in range(1, 46):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            with contextlib.suppress(OSError):
                socket.socket(family, kind).close()
                made.append((family, kind))
    return made
