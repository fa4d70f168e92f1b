"""A ceiling on the number of processes below the warm process, where the host has one to give.

The zygote counts each render's processes and ends one that has too many, but a fork bomb can outgrow the host
between two counts. A pids cgroup cannot be outgrown. Where it cannot be made (no rights, no controller),
RLIMIT_NPROC does the same for services that do not run as root.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_PREFIX = "manimcast-"


class PidsCeiling:
    """A pids cgroup around one process and all that it starts.

    Attributes
    ----------
    in_force
        Whether the host gave one.
    """

    def __init__(self, pid: int, maximum: int) -> None:
        self._path: Path | None = None
        parent = _own_pids_cgroup()
        if parent is None:
            return
        _sweep(parent)
        path = parent / f"{_PREFIX}{pid}"
        try:
            path.mkdir()
            (path / "pids.max").write_text(str(maximum))
            (path / "cgroup.procs").write_text(str(pid))
        except OSError:
            with suppress(OSError):
                path.rmdir()
            return
        self._path = path

    @property
    def in_force(self) -> bool:
        """Whether the ceiling holds."""
        return self._path is not None

    def remove(self) -> None:
        """Remove the cgroup. Every process in it must have ended; one that is still on its way out is left."""
        if self._path is not None:
            with suppress(OSError):
                self._path.rmdir()


def _own_pids_cgroup() -> Path | None:
    """Return the directory of this process's cgroup in the hierarchy that counts processes."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if "pids" in controllers.split(","):
                return _existing(Path(f"/sys/fs/cgroup/pids{path}"))
            if number == "0" and not controllers:
                found = _existing(Path(f"/sys/fs/cgroup{path}"))
                if found is not None and "pids" in (found / "cgroup.controllers").read_text().split():
                    return found
    return None


def _existing(path: Path) -> Path | None:
    return path if os.access(path, os.W_OK) else None


def _sweep(parent: Path) -> None:
    """Remove what services that were killed left behind; a cgroup with processes in it refuses."""
    for path in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            path.rmdir()
