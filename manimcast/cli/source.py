"""Read a file of scenes, and tell which scenes are in it without running it."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import warnings
from pathlib import Path


class SourceError(Exception):
    """The file cannot be read as Python source. The message says why."""


def read(file: str) -> str:
    """Return the text of ``file``, or of standard input for ``-``.

    A byte order mark and a coding comment are honoured, as Python does. Raises :class:`SourceError`.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror or error}") from None
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise SourceError(f"{file} is not readable text: {error}") from None
    if not text.strip():
        raise SourceError(f"{file} is empty")
    return text


def scenes(code: str) -> list[str]:
    """Return the names of the scene classes that ``code`` defines at its top level, in order.

    A class counts when a base of it is named like a scene (``Scene``, ``ThreeDScene``, ``m.MovingCameraScene``)
    or is itself such a class of the file. The list is empty when the code does not parse, or makes its scenes in
    some other way; the engine, which runs the code, then has the last word.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a backslash in a string; the render says what matters
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: dict[str, None] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_is_scene(base, found) for base in node.bases):
            found[node.name] = None
    return list(found)


def _is_scene(base: ast.expr, known: dict[str, None]) -> bool:
    match base:
        case ast.Name(id=name):
            return name in known or name.endswith("Scene")
        case ast.Attribute(attr=name):
            return name.endswith("Scene")
        case _:
            return False
