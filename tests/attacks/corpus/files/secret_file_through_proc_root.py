"""Reads a file of the host through the magic links in /proc that lead to the root of some process.

They do not resolve like ordinary links: they jump to where that process's root is.
"""

import contextlib
import os
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    for pid in ("1", "self", "thread-self", str(os.getppid()), str(target.bystander), str(target.service)):
        for link in ("root", "cwd"):
            with contextlib.suppress(OSError):
                return Path(f"/proc/{pid}/{link}{target.secret_file}").read_text()
