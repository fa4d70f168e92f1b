"""Tells of progress in numbers that are none, while its client and others read along.

One such number in a stream ends a client's parser, or the page that lists renders.
"""

import os

EXPECT = {"forbidden", "killed"}
BARE = {"forbidden", "killed"}

NUMBERS = {
    "infinite": b"1e999",
    "NaN": b"NaN",
    "enormous": b"9" * 400,
    "a fraction": b"1.5",
    "negative": b"-1",
    "a hundred and one": b"101",
}


def attack(target):
    number = NUMBERS[target.step]
    target.say(
        b'{"type": "playing", "index": 0, "kind": "x", "duration": ' + number + b"}",
        b'{"type": "progress", "progress": {"animation_index": 0, "animation_percent": 1, "percent": '
        + number
        + b', "frames_done": 1}}',
        b'{"type": "progress", "progress": {"animation_index": 0, "animation_percent": 2, "frames_done": '
        + number
        + b"}}",
    )
    os._exit(0)


def drive(host):
    for step in NUMBERS:
        answer = host.render(step=step)
        shown = host.client.get(f"/v1/renders/{answer.render_id}")
        if answer.status >= 500 or shown.status_code != 200:
            return f"{step}: answer {answer.status}, shown {shown.status_code}"
