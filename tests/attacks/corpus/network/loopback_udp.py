"""Sends a datagram to a service on the loopback interface.

Name servers and collectors of measurements listen there.
"""

import socket

EXPECT = "stopped"


def attack(target):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(2)
        datagrams.sendto(b"hello", ("127.0.0.1", target.udp_port))
        return datagrams.recv(100)
