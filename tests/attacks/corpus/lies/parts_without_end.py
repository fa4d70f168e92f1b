"""Sends one message of the greatest length that consists of nothing but mistakes.

Each mistake is looked at and described: one message kept the service busy for more than a second.
"""

import os

EXPECT = "forbidden"
BARE = "forbidden"


def attack(target):
    parts = {
        "files": b'{"type":"finished","report":{"files":[' + b"0," * 250_000 + b"0]}}",
        "keys": b'{"type":"failed","error":{' + b",".join(b'"%d":1' % number for number in range(50_000)) + b"}}",
    }
    target.say(parts[target.step])
    os._exit(0)


def drive(host):
    for step in ("files", "keys"):
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
