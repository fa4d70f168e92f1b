"""Calls the kernel with the numbers of the x32 interface.

They are other numbers for the same calls, in the same architecture: a list of forbidden numbers misses them.
"""

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # few kernels are built with it
MACHINES = {"x86_64"}

X32, GETPID = 0x40000000, 39


def attack(target):
    return target.in_child(lambda: f"getpid says {target.syscall(X32 | GETPID)}")
