"""The posted text: what its file is called, and how a piece of it is shown."""

from __future__ import annotations

import io
import linecache

FILE = "scene.py"
EXCERPT_COLUMNS = 200


def remember(code: str) -> None:
    """Keep ``code`` where tracebacks and excerpts find its lines."""
    # Lines end where Python's own do, which is in fewer places than str.splitlines knows.
    lines = io.StringIO(code, newline=None).readlines()
    linecache.cache[FILE] = (len(code), None, lines, FILE)


def excerpt(line: int, column: int | None, end_column: int | None = None) -> str | None:
    """Return the posted lines around ``line``, numbered, with carets under the place that ``column`` begins.

    Lines and columns are one-based. Long lines are cut around the column.
    """
    lines = linecache.getlines(FILE)
    if not 1 <= line <= len(lines):
        return None
    first = max(1, line - 2)
    shown = []
    width = len(str(line + 1))
    cut = max(0, (column or 1) - EXCERPT_COLUMNS // 2) if len(lines[line - 1]) > EXCERPT_COLUMNS else 0
    for number in range(first, min(len(lines), line + 1) + 1):
        text = lines[number - 1].rstrip("\n\r").expandtabs(1)
        offset = cut if number == line else 0
        shown.append(f"{'>' if number == line else ' '} {number:>{width}} | {text[offset : offset + EXCERPT_COLUMNS]}")
        if number == line and column is not None:
            length = max(1, min((end_column or column + 1) - column, EXCERPT_COLUMNS))
            shown.append(f"  {'':>{width}} | {' ' * (column - 1 - offset)}{'^' * length}")
    return "\n".join(shown)
