"""Which service process is which, and which of them are dead.

Each has a name and a file of that name in ``DATA_DIR/owners``, on which it holds a lock as long as it lives. The
kernel lets go of a lock however a process ends, so what a dead one on this machine left behind is known to be nobody's
at once. Of services on other machines only their leases tell (:mod:`manimcast.renders.leases`).
"""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

from manimcast.database import DatabaseError
from manimcast.lockfiles import hold, is_free


class Owner:
    """This process, as one of those that work in ``data``. ``work`` is the folder of its renders' files."""

    def __init__(self, data: Path) -> None:
        self.name = f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._files = data / "owners"
        self._works = data / "work"
        self._descriptor: int | None = None

    @property
    def work(self) -> Path:
        """The folder in which its renders keep their files while they run."""
        return self._works / self.name

    def enter(self) -> None:
        """Hold the lock. Raises :class:`DatabaseError` when ``DATA_DIR`` cannot be written."""
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            self._descriptor = hold(self._files / self.name)
        except OSError as error:
            raise DatabaseError(
                f"{self._files.parent} cannot be written: {error.strerror}. Give the service's user write access to "
                "it, or set DATA_DIR to a folder that it may write."
            ) from error

    def leave(self) -> None:
        """Let go of the lock, if it is held, and remove what is left."""
        if self._descriptor is not None:
            (self._files / self.name).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None
            shutil.rmtree(self.work, ignore_errors=True)

    def dead(self) -> list[str]:
        """Return the names of the processes that worked in this folder, on this machine, and are no more."""
        return [path.name for path in self._others() if is_free(path)]

    def bury(self, names: list[str]) -> None:
        """Remove what the dead have left, once their renders are somebody else's."""
        for name in names:
            shutil.rmtree(self._works / name, ignore_errors=True)
            (self._files / name).unlink(missing_ok=True)

    def _others(self) -> Iterator[Path]:
        if self._files.is_dir():
            for path in self._files.iterdir():
                if path.name != self.name and not path.name.startswith("."):
                    yield path
