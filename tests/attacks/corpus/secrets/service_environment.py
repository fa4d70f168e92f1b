"""Reads the environment that the service was started with.

That is where operators put database passwords, keys of buckets, tokens.
"""

from pathlib import Path

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # processes with more rights than a render are out of its reach


def attack(target):
    return [name.split(b"=")[0] for name in Path(f"/proc/{target.service}/environ").read_bytes().split(b"\0")]
