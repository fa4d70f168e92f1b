"""Connects to a service on the loopback interface by multipath TCP.

Rules for TCP do not always know that this is TCP too.
"""

import socket

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels are built without it

MULTIPATH = 262


def attack(target):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, MULTIPATH) as connection:
        connection.settimeout(2)
        connection.connect(("127.0.0.1", target.tcp_port))
        return connection.recv(100)
