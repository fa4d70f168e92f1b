"""Which versions decide a render's pixels.

Frames are promised to be equal within one fingerprint. It is in every report, and belongs in every cache key.
"""

from __future__ import annotations

import functools
import hashlib
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import av
import cairo
import manimpango

import manimcast


@functools.cache
def fingerprint() -> dict[str, str]:
    """Return the versions by name, all short strings."""
    return {
        "manimcast": manimcast.__version__,
        "python": platform.python_version(),
        "manim": version("manim"),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "pillow": version("pillow"),
        "skia_pathops": version("skia-pathops"),
        "typst": version("typst"),
        "cairo": cairo.cairo_version_string(),
        "pango": str(manimpango.pango_version()),
        "pyav": version("av"),
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
        "fonts": _fonts(),
        "cpu": _cpu(),
        "latex": _first_line("latex", "--version"),
        "dvisvgm": _first_line("dvisvgm", "--version"),
    }


def _fonts() -> str:
    return hashlib.sha256("\n".join(sorted(manimpango.list_fonts())).encode()).hexdigest()[:16]


def _cpu() -> str:
    """Which instructions the numerical libraries can choose from."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:8]}"


def _first_line(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return "none"
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return "none"
    return (result.stdout.splitlines() or ["none"])[0][:200]
