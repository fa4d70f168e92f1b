"""Sends the service messages of unknown types, with unknown fields, and with fields of wrong types.

What is not known must be refused, not passed on.
"""

EXPECT = "forbidden"
BARE = "forbidden"  # the service takes nothing on trust, whatever the tier

LOG = {"type": "log", "level": "info", "text": "hello"}
MESSAGES = {
    "type": LOG | {"type": "execute"},
    "no type": {"level": "info", "text": "hello"},
    "type of the wrong type": LOG | {"type": ["log"]},
    "to a render": {"type": "job", "version": 2, "spec": {"code": "x"}, "limits": {}},
    "field": LOG | {"and": "more"},
    "level": LOG | {"level": "fatal"},
    "text": LOG | {"text": {"a": "b"}},
    "long text": LOG | {"text": "x" * 8001},
    "class": LOG | {"__class__": "os.system", "__reduce__": "x"},
}


def attack(target):
    target.say(MESSAGES[target.step])


def drive(host):
    for step in MESSAGES:
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
