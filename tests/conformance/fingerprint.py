"""What decides stock Manim's pixels on this machine; recorded frames are only good for one such set.

Wider than the engine's own fingerprint: it also names the shared libraries that are really loaded.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import cairo
import manim  # loads every library that is named below
import manimpango

from tests.patience import PATIENCE

PACKAGES = ("manim", "numpy", "scipy", "pillow", "skia-pathops", "svgelements", "mapbox-earcut", "networkx", "typst")
LIBRARIES = ("libcairo", "libpixman", "libpango", "libfreetype", "libfontconfig", "libharfbuzz", "libfribidi")


def fingerprint() -> dict[str, str]:
    """Return the versions by name."""
    found = {name: version(name) for name in PACKAGES}
    found["python"] = platform.python_version()
    found["manim"] = manim.__version__
    found["cairo"] = cairo.cairo_version_string()
    found["pango"] = str(manimpango.pango_version())
    found["libraries"] = " ".join(_loaded())
    found["fonts"] = _digest(_output("fc-list", ":", "file", "family", "style", "fontversion"), lines=True)
    found["cpu"] = platform.machine() + "-" + _digest(_flags())
    found["latex"] = _output("latex", "--version").partition("\n")[0]
    found["dvisvgm"] = _output("dvisvgm", "--version").partition("\n")[0]
    return found


def _loaded() -> list[str]:
    """Return the file names, with versions, of the drawing libraries in this process."""
    paths = re.findall(r"\S+\.so\S*$", Path("/proc/self/maps").read_text(encoding="utf-8"), re.MULTILINE)
    return sorted({Path(path).resolve().name for path in paths if Path(path).name.startswith(LIBRARIES)})


def _flags() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return "none"
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def _digest(text: str, *, lines: bool = False) -> str:
    if lines:
        text = "\n".join(sorted(text.splitlines()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
