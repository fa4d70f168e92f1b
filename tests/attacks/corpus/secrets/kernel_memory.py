"""Reads addresses and memory of the kernel from the files that offer them.

With the kernel's addresses, a hole in it becomes a way in; with its memory, none is needed.
"""

import contextlib

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # kernels differ in whom they show it to


def attack(target):
    found = []
    for path in (
        "/proc/kcore",
        "/dev/mem",
        "/proc/kpagecount",
        "/sys/kernel/debug/kmemleak",
        "/sys/kernel/tracing/trace",
        "/sys/kernel/notes",
        "/sys/firmware/acpi/tables/DSDT",
    ):
        with contextlib.suppress(OSError), open(path, "rb", buffering=0) as file:
            if file.read(16):
                found.append(path)
    with contextlib.suppress(OSError), open("/proc/kallsyms") as symbols:
        if any(int(line.split()[0], 16) for line, _ in zip(symbols, range(100), strict=False)):
            found.append("/proc/kallsyms")
    return found
