"""Files that renders use, by keys that nobody else knows: one folder of them on this machine.

A file is there whole or not at all. Keys are 64 hexadecimal digits, so no name leads out of the folder.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO

from manimcast.storage.model import NoSuchFile
from manimcast.storage.shelf import flush, opened, plainly

_KEY = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = ".new-"


class Blobs:
    """The files in one folder. Its methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: str, source: Path) -> None:
        """Copy the file ``source`` under ``key``; it then survives a crash. Raises :class:`StorageError`."""
        path = self._path(key)
        with plainly("the file could not be stored"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
            try:
                with source.open("rb") as reader, draft.open("xb") as writer:
                    shutil.copyfileobj(reader, writer, 1 << 20)
                    writer.flush()
                    os.fsync(writer.fileno())
                draft.rename(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            flush(path.parent)

    def open(self, key: str) -> BinaryIO:
        """Open the file for reading, or raise :class:`NoSuchFile`."""
        return opened(self._path(key))

    def drop(self, key: str) -> None:
        """Remove the file; nothing there is no error."""
        with plainly("a stored file could not be removed"):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise NoSuchFile("a key is 64 hexadecimal digits")
        return self._folder / key[:2] / key
