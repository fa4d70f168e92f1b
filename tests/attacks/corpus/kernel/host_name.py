"""Renames the machine.

Logs, certificates and clusters go by the name.
"""

import socket

EXPECT = "stopped"
DANGEROUS = "it would rename the machine"


def attack(target):
    socket.sethostname("attacked")
    return socket.gethostname()
