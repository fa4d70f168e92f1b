"""Reads the folder that the service was installed from, where .env and .git lie.

The package in it must be there to be imported; its settings and its history must not.
"""

import contextlib
import os
from pathlib import Path

EXPECT = "stopped"


def attack(target):
    there = []
    for name in (".env", ".env.example", ".git", "pyproject.toml", "run.py", "tests", "docs", "README.md"):
        path = Path(target.checkout, name)
        with contextlib.suppress(OSError):
            if path.is_dir():
                there += [name] if os.listdir(path) else []
            else:
                os.close(os.open(path, os.O_RDONLY))
                there.append(name)
    return ", ".join(there)
