"""The service's database: how it is reached, and what shape its tables have."""

from manimcast.database.clock import Now, Present, present
from manimcast.database.connection import Database, Lock, after_commit
from manimcast.database.errors import ConflictError, DatabaseError
from manimcast.database.tables import Instant, metadata

__all__ = [
    "ConflictError",
    "Database",
    "DatabaseError",
    "Instant",
    "Lock",
    "Now",
    "Present",
    "after_commit",
    "metadata",
    "present",
]
