"""Puts links, pipes and folders where the service is to put kept segments, which would overwrite what they lead to.

What it is to put there the attack has chosen as well: it has offered it before.
"""

import contextlib
import os
from pathlib import Path

EXPECT = {"rendered", "killed"}
BARE = {"rendered", "killed"}  # whoever fills in follows no link, whatever the tier

KEYS = {kind: (kind.encode().hex() * 64)[:64] for kind in ("file", "hard", "pipe", "folder", "full", "gone", "magic")}


def attack(target):
    if target.step == "leave":
        target.goes_on = True
        Path("mine").write_text("the attack was here")
        offers = [{"key": key, "path": "mine"} for key in KEYS.values()]
        target.say({"type": "segments_made", "segments": offers})
        return
    folder = Path("media/reuse")
    folder.parent.mkdir(exist_ok=True)
    if target.step == "the folder is a link":
        os.symlink(target.folder, folder)
    else:
        folder.mkdir()
        os.symlink(target.secret_file, folder / KEYS["file"])
        os.symlink("/proc/self/mem", folder / KEYS["magic"])
        for make, arguments in (
            (os.link, (folder / KEYS["file"], folder / KEYS["hard"])),
            (os.mkfifo, (folder / KEYS["pipe"],)),
        ):
            with contextlib.suppress(PermissionError):
                make(*arguments)
        (folder / KEYS["folder"]).mkdir()
        (folder / KEYS["full"]).write_text("not empty")
    target.say({"type": "segments_asked", "number": 1, "keys": list(KEYS.values())})
    answer = target.hear()
    if any(key.encode() in answer for key in KEYS.values()):
        raise RuntimeError("something was put somewhere")
    os._exit(0)


def drive(host):
    for step in ("leave", "links in the folder", "the folder is a link"):
        answer = host.render(step=step)
        if answer.outcome != ("rendered" if step == "leave" else "killed"):
            return f"{step}: {answer.outcome} {answer.detail}"
    for path in Path(host.planted.folder).iterdir():
        if path.is_file() and b"the attack was here" in path.read_bytes():
            return f"{path.name} was overwritten"
