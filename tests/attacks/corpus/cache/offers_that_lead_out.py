"""Offers files of the host to be kept as segments: through links, folders above, pipes. The next render asks for them.

Whoever collects would hand out any file that the service may read.
"""

import os
from pathlib import Path

EXPECT = {"rendered", "killed"}
BARE = {"rendered", "killed"}  # whoever collects follows no link, whatever the tier

KINDS = ("link", "folder", "above", "pipe", "magic", "hard")


def key(kind):
    return (kind.encode().hex() * 64)[:64]


def attack(target):
    if target.step == "look":
        look(target)
        os._exit(0)
    target.goes_on = True
    secret = Path(target.secret_file)
    os.symlink(secret, "link")
    os.symlink(secret.parent, "folder")
    os.mkfifo("pipe")
    os.symlink("/proc/self/environ", "magic")
    try:
        os.link(secret, "hard")
    except OSError:
        Path("hard").write_text("as good as any")
        os.link("hard", "harder")
    paths = {"folder": f"folder/{secret.name}", "above": f"x/../../../../../..{secret}"}
    offers = [{"key": key(kind), "path": paths.get(kind, kind)} for kind in KINDS]
    target.say({"type": "segments_made", "segments": offers})


def look(target):
    folder = Path("media/reuse")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / key(kind)).touch()
    target.say({"type": "segments_asked", "number": 1, "keys": [key(kind) for kind in KINDS]})
    target.hear()
    found = [kind for kind in KINDS if (folder / key(kind)).stat().st_size]
    if found:
        raise RuntimeError(f"these were kept: {found}")


def drive(host):
    for step, outcome in (("leave", "rendered"), ("look", "killed")):
        answer = host.render(step=step)
        if answer.outcome != outcome:
            return f"{step}: {answer.outcome} {answer.detail}"
