"""Asks the cloud's metadata service for the machine's own credentials.

With the machine's credentials, everything that the operator has in the cloud is open.
"""

import socket

EXPECT = "stopped"
DANGEROUS = "it would speak to a machine that is not this one"


def attack(target):
    with socket.create_connection(("169.254.169.254", 80), 2) as connection:
        return connection.getpeername()
