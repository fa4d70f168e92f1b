"""Cursors: where a page of a list ended, in words that only this service has to understand."""

from __future__ import annotations

import base64
import re

from manimcast.api.validation import refuse

PAGE, MAX_PAGE = 50, 200
"""Entries of a page: if nothing else is asked for, and at most."""


def cursor_of(position: str) -> str:
    """Return what a client sends for the page after ``position``."""
    return base64.urlsafe_b64encode(position.encode()).rstrip(b"=").decode()


def position_of(cursor: str | None, form: re.Pattern[str]) -> re.Match[str] | None:
    """Return where the page before ended, matched with ``form``, which all positions of the list have.

    Raises :class:`~manimcast.api.problems.ProblemError` for a cursor that was never given out.
    """
    if cursor is None:
        return None
    try:
        position = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        position = ""
    found = form.fullmatch(position)
    if found is None:
        raise refuse([{"field": "cursor", "message": "cursor is not one that this service gave out"}])
    return found
