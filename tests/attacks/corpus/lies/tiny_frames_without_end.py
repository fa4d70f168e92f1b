"""Sends the smallest messages that there are, without end.

What costs one byte to say must not cost a thousand to hear.
"""

import json
import struct

EXPECT = {"forbidden", "timeout"}
BARE = {"forbidden", "timeout"}
REQUEST = {"timeout": 2}


def attack(target):
    body = json.dumps({"type": "log", "level": "debug", "text": ""}).encode()
    while True:
        target.send((struct.pack(">I", len(body)) + body) * 1000)
