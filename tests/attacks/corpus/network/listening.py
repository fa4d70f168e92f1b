"""Listens for others: a door that the next render, or the world, could come in by.

Renders are to be asked nothing by anybody.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()
