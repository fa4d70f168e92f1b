"""Makes a socket to the hypervisor and to the machine around the virtual machine.

On the other side are agents that trust the machine; no namespace of networks is asked.
"""

import socket

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels are built without it


def attack(target):
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as hypervisor:
        return hypervisor.family
