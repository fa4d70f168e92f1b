"""Reports texts with control characters, halves of characters, and letters that change the direction of reading.

They reach terminals and log files of whoever runs the service.
"""

import os

EXPECT = {"forbidden", "rendered"}
BARE = {"forbidden", "rendered"}

ESCAPE = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x00\x08\x9b31m\u202e"


def attack(target):
    with open("video.mp4", "wb") as video:
        video.write(b"a video")
    if target.step == "names":
        section = {"name": ESCAPE, "type": ESCAPE, "start": 0, "duration": 1}
        report = {"scene": ESCAPE, "sections": [section], "warnings": [ESCAPE], "timings": {ESCAPE: 1}}
        target.say({"type": "log", "level": "error", "text": ESCAPE}, target.finished("video.mp4", **report))
    elif target.step == "half of a character":
        target.say(b'{"type": "log", "level": "info", "text": "\\ud800"}', target.finished("video.mp4"))
    else:
        error = dict.fromkeys(("message", "exception", "excerpt", "hint", "traceback", "log"), ESCAPE)
        target.say({"type": "failed", "error": error | {"code": "no_scene"}})
    os._exit(0)


def drive(host):
    host.render(step="error")
    for step in ("half of a character", "names"):
        answer = host.render(step=step)
        shown = host.client.get(f"/v1/renders/{answer.render_id}")
        if shown.status_code != 200:
            return f"{step}: shown {shown.status_code}"
