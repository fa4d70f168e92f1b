"""Sends the service bytes that are no message.

The first thing that goes wrong in a parser must not be the last thing that the service does.
"""

EXPECT = "forbidden"
BARE = "forbidden"  # the service takes nothing on trust, whatever the tier

BODIES = {
    "empty": b"",
    "no JSON": b"hello",
    "half": b'{"type": "log", "level": "in',
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "not UTF-8": b'{"type": "log", "level": "info", "text": "\xff\xfe"}',
    "a null byte": b"\0" * 100,
    "a pickle": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00N.",
}


def attack(target):
    target.say(BODIES[target.step])


def drive(host):
    for step in BODIES:
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
