"""Speaks to the kernel's cryptography by a socket, a rich source of holes.

Several ways to root began there.
"""

import socket

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels are built without it


def attack(target):
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as kernel:
        kernel.bind(("hash", "sha256"))
        return kernel.family
