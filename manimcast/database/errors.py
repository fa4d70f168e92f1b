"""What goes wrong with a database."""

from __future__ import annotations


class DatabaseError(Exception):
    """The database cannot be opened, read or written. The message says what to do about it."""
