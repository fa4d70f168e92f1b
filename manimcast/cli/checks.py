"""What `manimcast doctor` looks for, one function each: it is there, or this is how to get it.

Nothing here imports manim or the service; libraries are loaded by name, and commands are only looked up or asked
for their version.
"""

from __future__ import annotations

import asyncio
import ctypes
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata

from manimcast.settings import Settings
from manimcast.storage import StorageError
from manimcast.storage.bucket import Bucket

MANIM_VERSION = "0.22.0"
LEAST_DISK_MIB = 500

APT_BUILD = (
    "apt-get install --no-install-recommends python3-venv python3-dev gcc libc6-dev pkg-config libcairo2-dev "
    "libpango1.0-dev fontconfig fonts-dejavu-core"
)
APT_LATEX = "apt-get install --no-install-recommends texlive-latex-extra dvisvgm lmodern"
APT_LATEX_MORE = (
    "apt-get install --no-install-recommends "
    "texlive-fonts-recommended texlive-science texlive-plain-generic tipa lmodern"
)
APT_OPENGL = "apt-get install --no-install-recommends libegl1 libgl1 libgl1-mesa-dri"
PIP_LOCAL = "pip install -r requirements-local.txt"


class State(StrEnum):
    """How bad a finding is: ``missing`` prevents rendering, ``warning`` costs a feature, ``info`` nothing."""

    ok = "ok"
    info = "info"
    warning = "warning"
    missing = "missing"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and ``remedy``: what to do about it if something should be done."""

    name: str
    state: State
    detail: str
    remedy: str | None = None


def python() -> Finding:
    """The Python that runs this, which is recent enough, or this would not run."""
    return Finding("Python", State.ok, f"{platform.python_version()} ({sys.prefix})")


def manim() -> Finding:
    """The engine's manim, in the one version that it is made for."""
    installed = _version("manim")
    if installed is None:
        return Finding("manim", State.missing, "not installed", f"{APT_BUILD} && {PIP_LOCAL}")
    if installed != MANIM_VERSION:
        return Finding("manim", State.missing, f"{installed}, but the engine is made for {MANIM_VERSION}", PIP_LOCAL)
    return Finding("manim", State.ok, installed)


def drawing() -> Finding:
    """Cairo and Pango, the libraries that draw shapes and text."""
    try:
        cairo = _version_string("libcairo.so.2", "cairo_version_string")
        pango = _version_string("libpango-1.0.so.0", "pango_version_string")
    except OSError as error:
        return Finding("Cairo and Pango", State.missing, str(error), APT_BUILD)
    lacking = [package for package in ("pycairo", "manimpango") if _version(package) is None]
    if lacking:
        return Finding("Cairo and Pango", State.missing, f"Python's {', '.join(lacking)} not installed", PIP_LOCAL)
    return Finding("Cairo and Pango", State.ok, f"cairo {cairo}, pango {pango}")


def encoding() -> Finding:
    """PyAV, which brings its own FFmpeg."""
    installed = _version("av")
    if installed is None:
        return Finding("Video encoder", State.missing, "PyAV is not installed", PIP_LOCAL)
    return Finding("Video encoder", State.ok, f"PyAV {installed}, with its own FFmpeg")


def fonts() -> Finding:
    """At least one font, or text is empty boxes."""
    program = shutil.which("fc-list")
    remedy = "apt-get install fontconfig fonts-dejavu-core"
    if program is None:
        return Finding("Fonts", State.warning, "fc-list is not there, so fonts cannot be counted", remedy)
    families = {line for line in _output([program, ":", "family"]).splitlines() if line.strip()}
    if not families:
        return Finding("Fonts", State.warning, "none: text will be empty boxes", remedy)
    return Finding("Fonts", State.ok, f"{len(families)} families")


def latex() -> Finding:
    """LaTeX with what manim's default template needs, and dvisvgm."""
    lacking = [program for program in ("latex", "dvisvgm") if shutil.which(program) is None]
    without = "Tex and MathTex fail; everything else renders"
    if lacking:
        return Finding("LaTeX", State.warning, f"no {' and no '.join(lacking)}: {without}", APT_LATEX)
    finder = shutil.which("kpsewhich")
    wanted = ("standalone.cls", "preview.sty", "amsmath.sty", "babel.sty")
    absent = [name for name in wanted if finder and not _output([finder, name]).strip()]
    if absent:
        return Finding("LaTeX", State.warning, f"without {', '.join(absent)}: {without}", APT_LATEX)
    extra = ("physics.sty", "siunitx.sty", "mhchem.sty", "mathrsfs.sty", "lmodern.sty")
    absent = [name for name in extra if finder and not _output([finder, name]).strip()]
    versions = f"{_first_line(['latex', '--version'])}; {_first_line(['dvisvgm', '--version'])}"
    if absent:
        return Finding("LaTeX", State.info, f"{versions}; without {', '.join(absent)}", APT_LATEX_MORE)
    return Finding("LaTeX", State.ok, versions)


def typst() -> Finding:
    """Typst, which sets formulas without LaTeX."""
    installed = _version("typst")
    if installed is None:
        return Finding("Typst", State.warning, "not installed: Typst and MathTypst fail", "pip install typst")
    return Finding("Typst", State.ok, installed)


def opengl() -> Finding:
    """The libraries of headless OpenGL; only scenes that ask for that engine need them."""
    absent = [library for library in ("libEGL.so.1", "libGL.so.1") if not _loads(library)]
    if absent:
        detail = f"no {' and no '.join(absent)}: only needed for the opengl engine"
        return Finding("OpenGL", State.info, detail, APT_OPENGL)
    return Finding("OpenGL", State.ok, "libEGL and libGL")


def service() -> Finding:
    """What the HTTP API needs; the command line renders without it."""
    lacking = [package for package in ("fastapi", "uvicorn", "sqlalchemy", "aiosqlite") if _version(package) is None]
    if lacking:
        detail = f"{', '.join(lacking)} not installed: `manimcast serve` will not start"
        return Finding("HTTP service", State.warning, detail, "pip install -r requirements.txt")
    return Finding("HTTP service", State.ok, f"FastAPI {_version('fastapi')}, uvicorn {_version('uvicorn')}")


def data_folder(settings: Settings) -> Finding:
    """DATA_DIR, or the folder that it would be made in, can be written to and has room."""
    folder = settings.data_dir.absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        remedy = f"mkdir -p {folder} && chown $(id -u) {folder}, or set DATA_DIR to another folder"
        return Finding("DATA_DIR", State.missing, f"{folder}: {error.strerror}", remedy)
    free = shutil.disk_usage(existing).free // 1024**2
    if free < LEAST_DISK_MIB:
        return Finding("DATA_DIR", State.warning, f"{folder}: only {free} MiB free", "make room, or move DATA_DIR")
    return Finding("DATA_DIR", State.ok, f"{folder} ({free / 1024:.1f} GiB free)")


def port(settings: Settings) -> Finding:
    """Nothing else listens where the service would."""
    if settings.port == 0:
        return Finding("Port", State.ok, "any free one")
    where = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the service does
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        remedy = "if that is not manimcast itself: `manimcast serve --port 8081`, or set PORT"
        return Finding("Port", State.warning, f"{where}: {error.strerror}", remedy)
    return Finding("Port", State.ok, f"{where} is free")


def storage(settings: Settings) -> Finding:
    """The bucket, if there is one: a small object is written, read and deleted."""
    place = settings.place
    if place is None:
        return Finding("Storage", State.ok, f"local: {settings.data_dir.absolute() / 'videos'}")
    for client in ("obstore", "botocore"):
        if _version(client) is None:
            return Finding("Storage", State.missing, f"{client} is not installed", "pip install -r requirements.txt")
    bucket = Bucket(settings, place)
    try:
        asyncio.run(bucket.check())
    except StorageError as error:
        return Finding("Storage", State.missing, f"{place.kind}: {error}", "docs/how-to/storage.md says more")
    links = "links for everyone" if bucket.is_public else f"signed links that live {settings.link_ttl:.0f} s"
    detail = f"{place.kind}: bucket {place.bucket} can be written, read and deleted from; {links}"
    return Finding("Storage", State.ok, detail)


MACHINE: tuple[Callable[[], Finding], ...] = (
    python, manim, drawing, encoding, fonts, latex, typst, opengl, service,
)  # fmt: skip
CONFIGURED: tuple[Callable[[Settings], Finding], ...] = (data_folder, storage, port)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _version_string(library: str, function: str) -> str:
    """Ask a C library for its version. Raises :class:`OSError` when it is not there."""
    ask = getattr(ctypes.CDLL(library), function)
    ask.restype = ctypes.c_char_p
    return str(ask().decode("ascii"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _first_line(command: list[str]) -> str:
    lines = _output(command).splitlines()
    return re.sub(r"\s+", " ", lines[0]).strip() if lines else command[0]
