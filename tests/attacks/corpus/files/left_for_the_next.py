"""Leaves a file for the render after it, wherever both might find it.

A render that another one has prepared the ground for draws, or runs, what the other wants.
"""

import contextlib
import os
import tempfile
from pathlib import Path

EXPECT = "stopped"


def places(target):
    name = os.path.basename(target.folder)
    folders = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/dev/mqueue", "/var/cache/fontconfig", "..", "../..")
    own = (Path.home(), tempfile.gettempdir(), os.environ.get("XDG_CACHE_HOME", "."))
    return [Path(folder, f"{name}.left") for folder in (*folders, *own)]


def attack(target):
    found = []
    for path in places(target):
        with contextlib.suppress(OSError):
            if target.step == "leave":
                path.write_text("remember me")
            else:
                found.append(f"{path.read_text()} in {path.parent}")
                path.unlink()
    return found


def drive(host):
    host.render(step="leave")
    host.render(step="find")
