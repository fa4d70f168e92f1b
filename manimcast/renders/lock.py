"""One service at a time on one ``DATA_DIR``.

SQLite would let two services share the table, but neither could tell whether a running render is the other's
or one that died. So the first holds a lock on ``DATA_DIR/lock`` as long as it lives; the kernel lets go of it
however the process ends, and whoever holds it knows that every render marked as running is nobody's.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from manimcast.renders.errors import StoreError


class FileLock:
    """An exclusive lock on the file ``path``, held by this process until :meth:`release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise :class:`StoreError` at once when another process has it or nobody can."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"{self._path.parent} cannot be written: {error.strerror}. Give the service's user write access to it, "
                "or set DATA_DIR (or DATABASE_URL) to a folder that it may write."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StoreError(
                f"another manimcast service{f' (process {holder})' if holder else ''} works in {self._path.parent}. "
                "Stop it, or give this one a DATA_DIR of its own."
            ) from None
        # For the message above. The file stays when the lock is released: removing it would race with the next.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
