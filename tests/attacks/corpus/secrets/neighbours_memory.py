"""Reads the memory of another render, through /proc and with process_vm_readv.

Two calls do the same; who forbids one has forbidden half.
"""

import contextlib
import ctypes
import struct
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    for pid in target.neighbour:
        with contextlib.suppress(OSError):
            areas = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
            address = next(int(area[0].partition("-")[0], 16) for area in areas if "heap" in area[-1])
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                memory.seek(address)
                return f"{len(memory.read(4096))} bytes through /proc"
        with contextlib.suppress(OSError):
            buffer = ctypes.create_string_buffer(64)
            here = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(buffer), 64))
            there = ctypes.create_string_buffer(struct.pack("PN", id(type), 64))  # where it is in each fork
            return f"{target.syscall('process_vm_readv', pid, here, 1, there, 1, 0)} bytes"
