"""A container's files: one directory that stands for ``/``.

Nothing is chrooted, so absolute paths that a container is told of are rewritten to lie below that directory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from modal_proto import api_pb2 as pb


class Root:
    """One container's directory. Other users may read it and pass through, as in a real container."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._make(directory)
        self.home = self._make(directory / "root")
        self.temporary = self._make(directory / "tmp")
        self.temporary.chmod(0o1777)

    def inside(self, path: str) -> Path:
        """Return where the container's absolute ``path`` really lies."""
        return self.directory / path.lstrip("/")

    def place(self, files: Iterable[pb.MountFile], contents: Mapping[str, bytes], at: str = "/") -> None:
        """Write a mount's files below the directory ``at``."""
        for file in files:
            path = self.inside(at) / file.filename.lstrip("/")
            self._make(path.parent)
            path.write_bytes(contents[file.sha256_hex])
            path.chmod((file.mode & 0o111) | 0o644)

    def rewritten(self, value: str) -> str:
        """Return ``value`` with each path in it, colons between them, that was placed here made to point here."""
        parts = value.split(":")
        return ":".join(
            str(self.inside(part)) if part.startswith("/") and self.inside(part).exists() else part for part in parts
        )

    def start_in(self, path: str) -> Path:
        """Return the directory for the container's ``path``, made if need be."""
        return self._make(self.inside(path))

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _make(self, directory: Path) -> Path:
        for path in reversed([directory, *directory.parents]):
            if path.is_relative_to(self.directory) and not path.exists():
                path.mkdir()
                path.chmod(0o755)
        return directory
