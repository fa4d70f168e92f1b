"""What a file may be called that a client brings for its scene: a plain path below the scene's own folder.

A name is refused, never repaired, so that what the scene opens is what was sent. Two names that some file system would
take for one are as well, and so is a Python file that would stand in for a module which the scene, Manim or the service
imports.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

MAX_LENGTH = 200
"""Bytes of a whole name in UTF-8."""
MAX_PART = 100
MAX_DEPTH = 8
"""Folders and the file itself."""

_PUNCTUATION = frozenset("_-. +()@,='&")
_OURS = re.compile(
    r"(?:scene\.py|poster\.jpg|video\.[^/]*|subtitles\.(?:srt|vtt)|section-\d+\.[^/]*)|(?:media|tmp)(?:/.*)?"
)
"""What the engine writes into the folder itself."""
INSTALLED = frozenset(
    (  # noqa: SIM905  a list of one a line takes a screen
        "PIL _manim _moderngl av cairo click cloup contourpy cycler decorator fontTools glcontext isosurfaces "
        "kiwisolver manim manim_physics manimcast manimpango mapbox_earcut matplotlib moderngl "
        "moderngl_window networkx numpy packaging pydantic pydantic_core pydub pygments pymunk pyparsing rich "
        "scene scipy screeninfo shapely skia_pathops srt svgelements tqdm typing_extensions watchdog"
    ).split()
)
"""Modules of which a scene's folder may have none of its own, besides Python's."""


def check_name(name: str) -> str:
    """Return ``name`` if a file may be called that, else raise :class:`ValueError`, which says why not."""
    reason = _fault(name)
    if reason is None:
        return name
    shown = name[:MAX_LENGTH].encode("unicode_escape").decode("ascii")
    raise ValueError(f"{shown!r} cannot be the name of a file: {reason}")


class SourcedName(str):
    """A name that knows what brings the file: ``source`` says it in words, such as ``the archive project.zip``."""

    source: str

    @classmethod
    def of(cls, name: str, source: str) -> SourcedName:
        """Return ``name`` with its ``source``."""
        named = cls(name)
        named.source = source
        return named


def check_together(names: Iterable[str]) -> None:
    """Raise :class:`ValueError` when two of ``names`` could not lie in one folder.

    When they are from several sources, it says which brings what. Names that are no :class:`SourcedName` are those of
    ``files``.
    """
    files: dict[str, str] = {}
    folders: dict[str, tuple[str, str]] = {}
    """Each folder, and a file in it."""
    for name in names:
        key = name.casefold()
        if key in files:
            raise ValueError(_twice(files[key], name))
        files[key] = name
        parts = name.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            known, its_file = folders.setdefault(folder.casefold(), (folder, name))
            if known != folder:
                here, there = _sources(its_file, name)
                raise ValueError(f"{known!r}{here} and {folder!r}{there} are the same folder, but for capitals")
    if both := next((name for name in files if name in folders), None):
        here, there = _sources(files[both], folders[both][1])
        raise ValueError(f"{str(files[both])!r} is a file{here} and a folder{there}")


def _twice(first: str, second: str) -> str:
    here, there = _sources(first, second)
    if first != second:
        return f"{str(first)!r}{here} and {str(second)!r}{there} are the same name, but for capitals"
    return f"{str(first)!r} is there twice:{here} and{there}" if here else f"there are two files {str(first)!r}"


def _sources(first: str, second: str) -> tuple[str, str]:
    """Return words that tell apart who brings the two files; none when it is one who brings both."""
    here, there = (getattr(name, "source", "files") for name in (first, second))
    return (f" in {here}", f" in {there}") if here != there else ("", "")


def _fault(name: str) -> str | None:
    try:
        length = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is not valid Unicode text"
    if not name:
        return "it is empty"
    if length > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} bytes"
    if name.startswith("/"):
        return "it begins with a slash"
    if unicodedata.normalize("NFC", name) != name:
        return "its characters are not in the composed form (NFC)"
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        return f"it is more than {MAX_DEPTH} levels deep"
    for part in parts:
        if reason := _fault_of_part(part):
            return reason
    if _OURS.fullmatch(name.casefold()):
        return "that is the service's own"
    module = parts[0].removesuffix(".py")
    if name.endswith(".py") and (module in INSTALLED or module in sys.stdlib_module_names):
        return f"it would hide the module {module}"
    return None


def _fault_of_part(part: str) -> str | None:
    if not part or part in {".", ".."}:
        return "a part of it is empty, '.' or '..'"
    if len(part.encode()) > MAX_PART:
        return f"a part of it is longer than {MAX_PART} bytes"
    if part[0] in ".-~ " or part[-1] in ". ":
        return "a part of it begins with a dot, a hyphen or a space, or ends with a dot or a space"
    if part.casefold() == "__pycache__":
        return "that is Python's own"
    for character in part:
        if character not in _PUNCTUATION and unicodedata.category(character)[0] not in "LNM":
            return "it has characters other than letters, digits, marks, and any of _ - . + ( ) @ , = ' & and space"
    return None


FileName = Annotated[str, AfterValidator(check_name)]
"""A relative path, of parts that are separated by slashes."""
