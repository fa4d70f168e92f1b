"""Leaves files with names and modes that make them hard to clear away.

A folder that is not cleared away fills the disk, one render at a time.
"""

import os

EXPECT = "stopped"
BARE = "stopped"


def attack(target):
    for name in (b"\xff\xfe", b"line\nfeed", b"-rf", b"\x1b[2J", b"a" * 255, " ’".encode()):
        os.mkdir(name)
        os.close(os.open(name + b"/" + name, os.O_CREAT, 0o000))
        os.chmod(name, 0o000)
