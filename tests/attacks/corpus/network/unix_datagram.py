"""Sends to a socket in the file system from an unconnected one, as programs log.

The system's log is such a socket, and so are the doors of many daemons.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(f"\0{target.abstract_socket}-own")
        return datagrams.getsockname()
