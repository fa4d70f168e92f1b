"""Announces a message of four gigabytes.

Who makes room for what is announced, has none left.
"""

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    target.send(b"\xff\xff\xff\xff")
    target.send(b"x" * 100_000)
