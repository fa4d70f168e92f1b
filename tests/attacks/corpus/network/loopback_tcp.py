"""Connects to a service on the loopback interface.

Databases, caches and agents of clouds listen there, and trust who can reach them.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.create_connection(("127.0.0.1", target.tcp_port), 2) as connection:
        return connection.recv(100)
