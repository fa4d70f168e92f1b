"""Two renders at the same time look for a folder in which both can write.

Together they could keep for one what the other may not.
"""

import contextlib
import os
import tempfile
import time
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    name = f"{os.path.basename(target.folder)}.meeting"
    own = (Path.home(), tempfile.gettempdir(), ".", "..", "../..")
    folders = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/run/lock", "/var/cache/fontconfig", *own)
    if target.step == "one":
        written = []
        for folder in folders:
            with contextlib.suppress(OSError):
                Path(folder, name).write_text("hello")
                written.append(Path(folder, name))
        time.sleep(1)
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        return None
    end = time.monotonic() + 1
    while time.monotonic() < end:
        found = [folder for folder in folders if Path(folder, name).exists()]
        if found:
            return f"they meet in {found}"
        time.sleep(0.01)


def drive(host):
    host.together("one", "two")
