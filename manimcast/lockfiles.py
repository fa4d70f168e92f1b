"""Files by which one process knows of another whether it lives: each is locked by whoever made it.

The kernel lets go of a lock however its holder ends. Names that begin with a dot are of files that are being made.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


def hold(path: Path) -> int:
    """Make the file ``path``, or replace it, and return the descriptor that holds its lock. May raise ``OSError``."""
    # Locked under another name first, so that nobody ever sees it without its lock.
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        draft.rename(path)
    except BaseException:
        os.close(descriptor)
        draft.unlink(missing_ok=True)
        raise
    return descriptor


def is_free(path: Path) -> bool:
    """Tell whether there is such a file, and nobody holds it. May raise ``OSError``."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
