"""What goes wrong with a database."""

from __future__ import annotations


class DatabaseError(Exception):
    """The database cannot be opened, read or written. The message says what to do about it."""


class ConflictError(DatabaseError):
    """What was to be written does not go with what is there by now: a unique index has refused it."""
