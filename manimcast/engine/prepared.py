"""TeX that was typeset beforehand: a folder that renders are given to read from, so that they need not run LaTeX.

Trusted code fills the folder, once (:mod:`manimcast.engine.prepare`): the digits that counters and axes are made of,
letters, operators, brackets. The warm process reads it whole before any job is there, and renders inherit what it
read; they never open it, and cannot change it.

An entry stands for one exact document, compiler and output format, and is what the same LaTeX and dvisvgm made of it,
so the outlines are those that a render would have got. A folder that was made with other versions is not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from manimcast.engine.surroundings import Surroundings

MANIFEST = "manifest.json"
TOOLS = ("latex", "dvisvgm")
VERSIONS = ("manim", *TOOLS)
"""Which entries of the engine's fingerprint decide what an expression looks like."""


class Manifest(BaseModel):
    """What is in a folder, and what it was made with.

    ``inputs`` are the files that LaTeX read, by path, and ``svgs`` the entries, by key; both name a SHA-256 of the
    content. An entry's file is called by that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: Literal[1] = 1
    versions: dict[str, str]
    inputs: dict[str, str]
    svgs: dict[str, str]


def key(source: bytes, compiler: str | Sequence[str], output_format: str) -> str:
    """Return the name of what ``compiler`` (or several, in order) and dvisvgm make of the document ``source``."""
    how = repr((compiler, output_format)).encode()
    return hashlib.sha256(how + b"\n" + source).hexdigest()


def file_of(folder: Path, digest: str) -> Path:
    """Return where the SVG with this SHA-256 lies."""
    return folder / f"{digest}.svg"


class Prepared:
    """Prepared expressions, in memory.

    Parameters
    ----------
    svgs
        The SVG files' contents by :func:`key`.
    names
        Names of files that LaTeX read for them.

    Attributes
    ----------
    surroundings
        What LaTeX would find where the render runs.
    """

    def __init__(self, svgs: Mapping[str, bytes], names: frozenset[str] = frozenset()) -> None:
        self._svgs = svgs
        self._names = names
        self.surroundings = Surroundings()

    def __len__(self) -> int:
        return len(self._svgs)

    def provide(self, tex_file: Path, compiler: str | Sequence[str], output_format: str) -> None:
        """Put the SVG of ``tex_file`` beside it, if it is here; Manim looks there before it runs LaTeX."""
        svg_file = tex_file.with_suffix(".svg")
        if not self._svgs or svg_file.exists():
            return
        svg = self._svgs.get(key(tex_file.read_bytes(), compiler, output_format))
        if svg is not None and not self.surroundings.disturb(tex_file.parent, self._names):
            svg_file.write_bytes(svg)


def load(folder: Path, fingerprint: Mapping[str, str]) -> tuple[Prepared, str | None]:
    """Read ``folder`` and return what may be used of it, and what its owner should hear if that is not all."""
    again = f"Run: python -m manimcast.engine.prepare {folder}"
    nothing = Prepared({})
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return nothing, f"No prepared TeX is in {folder}. {again}"
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its manifest is not one of this version"
        return nothing, f"The prepared TeX in {folder} cannot be read: {reason}. {again}"
    difference = _difference(manifest, fingerprint)
    if difference:
        return nothing, f"The prepared TeX in {folder} is not used: {difference}. {again}"
    svgs = read_svgs(folder, manifest.svgs)
    names = frozenset(Path(path).name for path in manifest.inputs)
    damaged = len(manifest.svgs) - len(svgs)
    return Prepared(
        svgs, names
    ), f"{damaged} files of prepared TeX in {folder} are damaged. {again}" if damaged else None


def read_svgs(folder: Path, digests: Mapping[str, str]) -> dict[str, bytes]:
    """Return the contents of the files that are whole, by key."""
    found = {}
    for name, digest in digests.items():
        try:
            content = file_of(folder, digest).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(content).hexdigest() == digest:
            found[name] = content
    return found


def _difference(manifest: Manifest, fingerprint: Mapping[str, str]) -> str | None:
    """Return in words how this host differs from the one that the folder was made on, if it matters.

    A tool that is not here at all cannot differ: then what is prepared is all the TeX there is.
    """
    for name in VERSIONS:
        here, there = fingerprint.get(name, "none"), manifest.versions.get(name)
        if here != there and not (name in TOOLS and here == "none"):
            return f"it was made with {name} {there!r}, and {here!r} is here"
    if fingerprint.get("latex", "none") != "none":
        for path, digest in manifest.inputs.items():
            if digest_of(Path(path)) != digest:
                return f"LaTeX's {path} is not the file that it was made with"
    return None


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
