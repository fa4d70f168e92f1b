"""Takes a share of the machine's only budget for asynchronous reading and writing.

It is counted for the whole machine: a database beside the service would be refused.
"""

import ctypes

EXPECT = "stopped"


def attack(target):
    context = ctypes.c_ulong(0)
    target.syscall("io_setup", 128, ctypes.byref(context))
    return "has it"
