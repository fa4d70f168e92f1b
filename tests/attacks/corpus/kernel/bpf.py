"""Loads a map, the first step of a program of its own in the kernel.

Programs in the kernel see everything on the machine, and their checker has had many holes.
"""

import ctypes
import struct

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels differ in whom they let

ARRAY = 2


def attack(target):
    attributes = ctypes.create_string_buffer(struct.pack("IIIII", ARRAY, 4, 8, 1, 0), 128)
    return f"descriptor {target.syscall('bpf', 0, attributes, 128)}"
