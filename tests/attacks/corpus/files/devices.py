"""Opens the host's devices: disks, memory, the kernel's log, virtual machines, inputs.

A disk's device is every file on it; a virtual machine's is another kernel.
"""

import contextlib
import os

EXPECT = "stopped"

# Only such as do nothing when they are opened: others rewind tapes, or restart the machine when they are closed.
DEVICES = (
    "mem",
    "kmem",
    "kmsg",
    "kvm",
    "fuse",
    "cuse",
    "net/tun",
    "loop-control",
    "loop0",
    "vda",
    "sda",
    "xvda",
    "nvme0",
    "nvme0n1",
    "dm-0",
    "mapper/control",
    "btrfs-control",
    "vhost-net",
    "vhost-vsock",
    "vsock",
    "userfaultfd",
    "hwrng",
    "input/event0",
    "input/mice",
    "snd/control",
    "vcs",
    "ptmx",
)


def attack(target):
    opened = []
    for name in DEVICES:
        with contextlib.suppress(OSError):
            os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
            opened.append(name)
    return opened
