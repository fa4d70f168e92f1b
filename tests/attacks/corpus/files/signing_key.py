"""Reads the key that signs the links to videos.

Who has it can make links to everybody's videos.
"""

from pathlib import Path

EXPECT = "stopped"


def attack(target):
    return f"a key of {len(Path(target.data, 'signing.key').read_bytes())} bytes"
