"""Asks for kept segments in ways that nobody asks: by paths, by odd keys, by very many, out of number.

A key becomes a name in a folder of the service and one in the render's own.
"""

EXPECT = "forbidden"
BARE = "forbidden"  # the service takes nothing on trust, whatever the tier

KEY = "0123456789abcdef" * 4


def question(*keys, number=1, **fields):
    return {"type": "segments_asked", "number": number, "keys": list(keys)} | fields


QUESTIONS = {
    "a path": [question("../" * 21 + "x")],
    "an absolute path": [question("/" + KEY[1:])],
    "upper case": [question(KEY.upper())],
    "too short": [question(KEY[:-1])],
    "too long": [question(KEY + "0")],
    "a line more": [question(KEY + "\n")],
    "a null": [question(KEY[:-1] + "\0")],
    "other digits": [question("\u0660" * 64)],
    "a number": [question(7)],
    "very many": [question(*[KEY] * 300)],
    "no number": [question(KEY, number=0)],
    "a number left out": [question(KEY, number=2)],
    "one twice": [question(KEY), question(KEY)],
    "a tenant of its choosing": [question(KEY, tenant="somebody")],
    "an answer": [question(KEY, type="segments_found")],
    "more offers than may be": [{"type": "segments_made", "segments": [{"key": KEY, "path": "x"}] * 256}] * 20,
    "an offer of a path out": [{"type": "segments_made", "segments": [{"key": KEY, "path": "/etc/passwd"}]}],
}


def attack(target):
    target.say(*QUESTIONS[target.step])
    while target.hear():
        pass


def drive(host):
    for step in QUESTIONS:
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
