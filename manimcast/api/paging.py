"""Cursors: where a page of a list ended, in words that only this service has to understand."""

from __future__ import annotations

import base64

from manimcast.api.validation import refuse

PAGE, MAX_PAGE = 50, 200
"""Entries of a page: if nothing else is asked for, and at most."""


def cursor_of(position: str) -> str:
    """Return what a client sends for the page after ``position``."""
    return base64.urlsafe_b64encode(position.encode()).rstrip(b"=").decode()


def position_of(cursor: str | None, prefix: str) -> str | None:
    """Return where the page before ended; it begins with ``prefix``.

    Raises :class:`~manimcast.api.problems.ProblemError` for a cursor that was never given out.
    """
    if cursor is None:
        return None
    try:
        position = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        position = ""
    if not position.startswith(prefix):
        raise refuse([{"field": "cursor", "message": "cursor is not one that this service gave out"}])
    return position
