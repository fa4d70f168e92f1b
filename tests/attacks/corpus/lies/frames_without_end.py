"""Sends messages without end, each of them allowed.

Who keeps them all, or passes them all on, has no room or no time left.
"""

EXPECT = {"forbidden", "timeout"}
BARE = {"forbidden", "timeout"}
REQUEST = {"timeout": 2}


def attack(target):
    frames = [{"type": "log", "level": "info", "text": "x" * 8000}] * 50
    while True:
        target.say(*frames)
