"""Makes a socket for pings, which some kernels allow to everybody.

It carries data out as well as any other packet.
"""

import socket

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels differ in whom they let


def attack(target):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as pings:
        return pings.family
