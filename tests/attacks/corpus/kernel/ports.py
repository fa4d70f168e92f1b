"""Asks for the processor's input and output ports, which reach every device.

The disk and the network can be driven past the kernel.
"""

EXPECT = "stopped"
BARE = "stopped"  # takes a capability, which every tier gives up
MACHINES = {"x86_64"}

IOPL = 172


def attack(target):
    target.syscall(IOPL, 3)
    return "has them"
