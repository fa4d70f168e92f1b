"""Let entries of caches go that nobody has used for long, whatever room there is."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from manimcast.cache.bundles import NOTE, UNFINISHED

MOST = 1000
"""Entries that are removed at once."""


def expire(folder: Path, seconds: float) -> int:
    """Remove entries that were last used more than ``seconds`` ago from the caches in ``folder``; return how many.

    What cannot be removed stays.
    """
    before = time.time() - seconds
    removed = 0
    for entry in _entries(folder):
        with contextlib.suppress(OSError):  # another process was faster, or it cannot be written
            if _last_use(entry) < before:
                if entry.is_dir() and not entry.is_symlink():
                    # Renamed first, so that nobody finds half of it while it goes.
                    doomed = entry.parent.parent / f"{UNFINISHED}gone-{secrets.token_hex(8)}"
                    entry.rename(doomed)
                    shutil.rmtree(doomed, ignore_errors=True)
                else:
                    entry.unlink()
                removed += 1
        if removed == MOST:
            break
    return removed


def _entries(folder: Path) -> Iterator[Path]:
    # Every cache has the same two levels: the beginning of the key, then the entry.
    return folder.glob("*/??/*")


def _last_use(entry: Path) -> float:
    note = entry / NOTE
    return (note if note.is_file() else entry).lstat().st_mtime
