"""Connects to a socket that has only a name, which no mount and no path keeps away.

Desktops, X and systemd's helpers listen on such names.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(f"\0{target.abstract_socket}")
        return connection.recv(100)
