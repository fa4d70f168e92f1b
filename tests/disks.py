"""Small file systems that a test fills to the last byte, in a mount namespace of the service that they are for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

UNSHARE = ("unshare", "-m") if os.getuid() == 0 else ("unshare", "-rm")
"""Root has its own right to mount; others need a user namespace, which a few hosts refuse."""
BLOCK = 4096


def may_mount() -> bool:
    """Tell whether this host lets us mount file systems of our own."""
    return shutil.which("unshare") is not None and subprocess.run([*UNSHARE, "true"], check=False).returncode == 0


needs_disks = pytest.mark.skipif(not may_mount(), reason="needs user namespaces to mount small file systems")


class Disk:
    """A file system of ``size`` bytes, on which ``folder`` of a service's ``DATA_DIR`` lies."""

    def __init__(self, folder: str, size: int) -> None:
        self.folder = folder
        self.size = size
        self._at: Path | None = None

    def mounted(self, pid: int, data: Path) -> None:
        """Take note of who sees it."""
        self._at = Path(f"/proc/{pid}/root") / (data / self.folder).relative_to("/")

    @property
    def at(self) -> Path:
        """Where it is, as seen from outside."""
        assert self._at is not None
        return self._at

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.at / "ballast").open("ab", buffering=0) as file:
            for size in (BLOCK * 16, BLOCK):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Make room again."""
        (self.at / "ballast").unlink()


def mounting(data: Path, disks: Sequence[Disk]) -> list[str]:
    """Return the beginning of a command line, after which the command finds the disks mounted below ``data``."""
    if not disks:
        return []
    script = "".join(
        f'mkdir -p "$0/{disk.folder}" && mount -t tmpfs -o size={disk.size},mode=700 none "$0/{disk.folder}" && '
        for disk in disks
    )
    return [*UNSHARE, "sh", "-c", f'{script}exec "$@"', str(data)]
