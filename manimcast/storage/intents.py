"""Names of results that are being stored, on disk from before they are there until a row tells of them.

Whoever stores a result holds a lock on its name for that long. The kernel lets go of it however a process ends, so what
is noted here and not locked is what a dead process had stored, or was about to, and may be nobody's.
"""

from __future__ import annotations

import os
from pathlib import Path

from manimcast.lockfiles import hold, is_free
from manimcast.storage.shelf import flush


class Intents:
    """The names that are noted in one folder, by all who work there. Its methods block, and raise :class:`OSError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def prepare(self) -> None:
        """Make the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def note(self, name: str) -> None:
        """Note that a result of this name will be stored; when this returns, that survives a crash."""
        lock = hold(self._folder / name)
        try:
            flush(self._folder)
        except BaseException:
            os.close(lock)
            raise
        self._let_go(name)
        self._held[name] = lock

    def drop(self, name: str) -> None:
        """Forget it: a row tells of the result, or it is gone."""
        (self._folder / name).unlink(missing_ok=True)
        self._let_go(name)

    def left(self) -> list[str]:
        """Return what the dead have noted."""
        found = []
        for path in sorted(self._folder.iterdir()):
            if not is_free(path):
                continue
            if path.name.startswith("."):
                path.unlink(missing_ok=True)
            else:
                found.append(path.name)
        return found

    def close(self) -> None:
        """Let go of all that this process holds."""
        for name in list(self._held):
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        if (lock := self._held.pop(name, None)) is not None:
            os.close(lock)
