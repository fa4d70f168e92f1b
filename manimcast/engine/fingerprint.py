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
from manimcast.engine import aside, native


@functools.cache
def fingerprint() -> dict[str, str]:
    """Return the versions by name, all short strings."""
    return {
        "manimcast": manimcast.__version__,
        "native": native.version,
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
        "tex": _tex(),
    }


def _fonts() -> str:
    # Newer Pangos look for fonts in a thread that stays, and no process that is forked later has it.
    names = aside.call(lambda: sorted(manimpango.list_fonts()))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _cpu() -> str:
    """Which instructions the numerical libraries can choose from."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:8]}"


def _tex() -> str:
    """Return a digest of what else decides what TeX makes of a document.

    That are the other compilers, the libraries of dvisvgm, and the packages: whatever installs, removes or updates one
    writes the lists of files (``ls-R``) anew.
    """
    found = [_first_line(name, "--version") for name in ("xelatex", "lualatex")]
    found.append(_output("dvisvgm", "-V1"))
    for path in map(Path, _output("kpsewhich", "-all", "ls-R").splitlines()):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append(f"{path} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def _first_line(*command: str) -> str:
    return (_output(*command).splitlines() or ["none"])[0][:200]


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout
