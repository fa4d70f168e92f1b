"""Writes where the programs of the service lie: packages, byte code, fonts, TeX, caches.

What is changed there runs in every later render, and in the service itself.
"""

import contextlib
import os
import sys

import manim
import manimcast

EXPECT = "stopped"


def attack(target):
    package, library = os.path.dirname(manimcast.__file__), os.path.dirname(manim.__file__)
    folders = {
        package,
        f"{package}/__pycache__",
        library,
        *(path for path in sys.path if path and path != os.getcwd()),
        os.path.dirname(sys.executable),
        "/etc",
        "/etc/fonts",
        "/usr/bin",
        "/usr/lib",
        "/usr/local/lib",
        "/usr/share/fonts",
        "/usr/share/texmf",
        "/var/cache/fontconfig",
        "/var/lib/texmf",
    }
    writable = []
    for folder in sorted(folders):
        with contextlib.suppress(OSError):  # a file without a name shows whether one can be made, and leaves nothing
            os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600))
            writable.append(folder)
    return ", ".join(writable)
