"""Sets up io_uring, through which the kernel opens, connects and writes without a system call for each.

A filter of system calls sees none of them; and it has been a rich source of holes.
"""

import ctypes

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # a limit of the process itself, on locked memory


def attack(target):
    return f"descriptor {target.syscall('io_uring_setup', 4, ctypes.create_string_buffer(120))}"
