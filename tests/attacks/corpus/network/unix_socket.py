"""Connects to a socket in the file system, as those of Docker, of databases and of system buses are.

Who may speak to Docker's is root.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(target.unix_socket)
        return connection.recv(100)
