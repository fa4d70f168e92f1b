"""The posted texts: what their files are called, and how a piece of one is shown.

The code is called ``scene.py``; other files have the names that they were posted under, relative to the scene's folder.
"""

from __future__ import annotations

import io
import linecache

from manimcast.spec import ErrorCode, SceneError

FILE = "scene.py"
EXCERPT_COLUMNS = 200

_posted = {FILE}


def remember(text: str, name: str = FILE) -> None:
    """Keep the text of a posted file where tracebacks and excerpts find its lines."""
    # Lines end where Python's own do, which is in fewer places than str.splitlines knows.
    lines = io.StringIO(text, newline=None).readlines()
    linecache.cache[name] = (len(text), None, lines, name)
    _posted.add(name)


def is_posted(name: str | None) -> bool:
    """Whether code with this file name was posted."""
    return name in _posted


def shown(name: str) -> str | None:
    """Return what an error says of the file that it is in: its name, or None for the code itself."""
    return None if name == FILE else name


def excerpt(line: int, column: int | None, end_column: int | None = None, *, file: str = FILE) -> str | None:
    """Return the lines of a posted file around ``line``, numbered, with carets under the place ``column`` begins.

    Lines and columns are one-based. Long lines are cut around the column.
    """
    lines = linecache.getlines(file)
    if not 1 <= line <= len(lines):
        return None
    first = max(1, line - 2)
    told = []
    width = len(str(line + 1))
    cut = max(0, (column or 1) - EXCERPT_COLUMNS // 2) if len(lines[line - 1]) > EXCERPT_COLUMNS else 0
    for number in range(first, min(len(lines), line + 1) + 1):
        text = lines[number - 1].rstrip("\n\r").expandtabs(1)
        offset = cut if number == line else 0
        told.append(f"{'>' if number == line else ' '} {number:>{width}} | {text[offset : offset + EXCERPT_COLUMNS]}")
        if number == line and column is not None:
            length = max(1, min((end_column or column + 1) - column, EXCERPT_COLUMNS))
            told.append(f"  {'':>{width}} | {' ' * (column - 1 - offset)}{'^' * length}")
    return "\n".join(told)


def syntax_error(error: SyntaxError, file: str = FILE) -> SceneError:
    """Return what a syntax error of a posted file means for the one who wrote it."""
    line = error.lineno if error.lineno and error.lineno > 0 else None
    column = error.offset if error.offset and error.offset > 0 else None
    end_line = error.end_lineno if line and error.end_lineno and error.end_lineno >= line else line
    end_column = error.end_offset if error.end_lineno == error.lineno else None
    return SceneError(
        code=ErrorCode.syntax_error,
        message=(error.msg or "invalid syntax")[:4000],
        exception=type(error).__name__,
        file=shown(file),
        line=line,
        column=column,
        end_line=end_line,
        excerpt=excerpt(line, column, end_column, file=file) if line else None,
    )
