"""Speaks netlink with the kernel: addresses, routes, firewalls, auditing.

Much of it answers everybody, and some of it has had holes.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.bind((0, 0))
        return kernel.getsockname()
