"""Listens on its line for what the service may still say, and asks it for things that nobody offers.

The line must carry this render's job and answers, and nothing else.
"""

import json
import os

EXPECT = {"stopped", "forbidden"}
BARE = {"stopped", "forbidden"}


def attack(target):
    wire = target.wire()
    os.set_blocking(wire, False)
    heard = b""
    try:
        heard = os.read(wire, 65536)
    except BlockingIOError:
        pass
    os.set_blocking(wire, True)
    target.say({"type": "read", "path": target.secret_file})
    heard += os.read(wire, 65536)
    return heard and json.dumps(heard.decode(errors="replace"))
