"""What LaTeX would find around a document that a scene wants typeset.

TeX reads files of the working directory in place of the installed ones, and obeys variables. As long as a scene
brought neither, what TeX makes of a document depends on nothing but its text, and can come from elsewhere: from a
folder of prepared expressions, or from a process that has seen nothing of the scene. Otherwise LaTeX has to run here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

TEX_SUFFIXES = frozenset(
    {
        ".cfg",
        ".clo",
        ".cls",
        ".cnf",
        ".def",
        ".enc",
        ".fd",
        ".fmt",
        ".ini",
        ".ldf",
        ".map",
        ".pfb",
        ".sty",
        ".tfm",
        ".vf",
    }
)
"""Files that TeX or dvisvgm would take from the working directory in place of the installed ones."""

MORE_SUFFIXES = frozenset({".aux", ".code", ".lua", ".otf", ".pgf", ".tex", ".ttf"})
"""Further files that a preamble may ask for without naming them in full."""

USUAL = frozenset({"media", "scene.py", "tmp", "__pycache__"})
"""What lies in a render's directory without the scene's doing."""

WRITES = re.compile(r"\\(?:openout|newwrite)\b|filecontents|VerbatimOut")
"""How a document leaves files behind, which a scene might want to find, or have TeX read the next time."""


class Surroundings:
    """A render's environment and directory, compared with what they were before the scene's own code ran."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._directory: Path | None = None
        self._entries: Collection[str] = USUAL

    def begin(self) -> None:
        """Take what is there now for what every render has."""
        self._environment = dict(os.environ)
        self._directory = Path.cwd()
        self._entries = USUAL | _names(Path())

    def disturb(self, tex_directory: Path, names: Collection[str] = ()) -> bool:
        """Whether the scene set variables, or brought files that TeX reads unasked, or any called one of ``names``."""
        there = _names(Path()) | _names(tex_directory)
        return self._is_elsewhere() or bool(_suffixes(there) & TEX_SUFFIXES or there.intersection(names))

    def concern(self, source: str, tex_directory: Path) -> bool:
        """Whether it could matter to the document ``source``, or to the scene, that it is typeset here."""
        if self.disturb(tex_directory) or Path.cwd() != self._directory or WRITES.search(source):
            return True
        own = self.own_files()
        kept = _suffixes(_names(tex_directory)) - {".log", ".svg", ".tex"}
        unnamed = _suffixes(own) & MORE_SUFFIXES
        hidden = any(name.startswith(".") for name in own)  # TeX has folders of that kind at home
        named = {*(Path(name).stem for name in own), "scene.py", "media/", "tmp/"}
        return bool(kept or unnamed or hidden) or any(name in source for name in named)

    def own_files(self) -> set[str]:
        """Return the names in the working directory that are there by the scene's doing."""
        return _names(Path()).difference(self._entries)

    def _is_elsewhere(self) -> bool:
        texmf = os.environ.get("TEXMFVAR")
        return (
            dict(os.environ) != self._environment
            or Path("~/texmf").expanduser().exists()
            or (texmf is not None and Path(texmf).exists())
        )


def _names(folder: Path) -> set[str]:
    with os.scandir(folder) as entries:  # a scene may have a thousand expressions there, and this is asked for each
        return {entry.name for entry in entries}


def _suffixes(names: set[str]) -> set[str]:
    return {name[dot:] if (dot := name.rfind(".")) > 0 else "" for name in names}
