"""Measures its own process with the processor's counters, a rich source of holes and of side channels.

How long others take tells what they do, and the call itself has had many holes.
"""

import ctypes
import struct

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels differ in whom they let


def attack(target):
    software, dummy, exclude_kernel_and_hypervisor = 1, 9, 1 << 5 | 1 << 6
    attributes = ctypes.create_string_buffer(128)
    struct.pack_into("IIQ", attributes, 0, software, 128, dummy)
    struct.pack_into("Q", attributes, 40, exclude_kernel_and_hypervisor)
    return f"descriptor {target.syscall('perf_event_open', attributes, 0, -1, -1, 0)}"
