"""Connects to a service on the loopback interface by its IPv4 address written as an IPv6 one.

A rule that knows one way to write an address does not know the other.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.socket(socket.AF_INET6) as connection:
        connection.settimeout(2)
        connection.connect(("::ffff:127.0.0.1", target.tcp_port))
        return connection.recv(100)
