"""Sends a message that is nested a hundred thousand deep.

A parser that recurses runs out of stack, and takes the service with it.
"""

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    target.say(b'{"type": "log", "level": "info", "text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
