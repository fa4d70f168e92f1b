"""Reaches a service on the loopback interface by sending first (TCP fast open), without ever calling connect.

Landlock's rule for connecting is asked in connect only.
"""

import socket

EXPECT = "stopped"

FAST_OPEN = 0x20000000


def attack(target):
    with socket.socket() as connection:
        connection.settimeout(2)
        connection.sendto(b"hello", FAST_OPEN, ("127.0.0.1", target.tcp_port))
        return connection.recv(100)
