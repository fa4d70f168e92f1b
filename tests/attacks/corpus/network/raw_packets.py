"""Writes packets of its own making, and reads everybody's.

With them, one is anybody on the network.
"""

import contextlib
import socket

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up


def attack(target):
    made = []
    for family, kind, protocol in (
        (socket.AF_PACKET, socket.SOCK_RAW, 0x0300),
        (socket.AF_PACKET, socket.SOCK_DGRAM, 0x0300),
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
    ):
        with contextlib.suppress(OSError), socket.socket(family, kind, protocol):
            made.append((family, kind))
    return made
