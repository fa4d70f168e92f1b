"""Reports numbers that are none, that have no end, or that no machine can count.

The render could then be neither shown nor listed, nor those beside it.
"""

import os

EXPECT = {"forbidden", "rendered"}
BARE = {"forbidden", "rendered"}

NUMBERS = {
    "infinite": b"1e999",
    "Infinity": b"Infinity",
    "no number": b"NaN",
    "negative": b"-1",
    "enormous": b"9" * 400,
    "more digits than are read": b"9" * 10_000,
}
FIELDS = ("duration", "frame_rate", "frames", "animations", "seed", "timings")


def attack(target):
    field, number = target.step.split(":")
    with open("video.mp4", "wb") as video:
        video.write(b"a video")
    body = target.finished("video.mp4", **{field: {"draw": "NUMBER"} if field == "timings" else "NUMBER"})
    import json

    target.say(json.dumps(body).encode().replace(b'"NUMBER"', NUMBERS[number]))
    os._exit(0)


def drive(host):
    for field in FIELDS:
        for number in NUMBERS:
            answer = host.render(step=f"{field}:{number}")
            shown = host.client.get(f"/v1/renders/{answer.render_id}")
            if answer.status >= 500 or shown.status_code != 200:
                return f"{field} is {number}: answer {answer.status}, shown {shown.status_code}"
            host.client.delete(f"/v1/renders/{answer.render_id}")
