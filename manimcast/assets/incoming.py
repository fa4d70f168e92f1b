"""The bytes of an upload on their way to a file: counted, hashed, and looked at, as they come."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from manimcast.assets.kinds import HEAD_BYTES

ABANDONED_SECONDS = 3600.0
"""Age after which an upload that was never finished belongs to a process that died."""


class TooLargeError(Exception):
    """There are more bytes than one asset may have."""


class Incoming:
    """A file in ``folder`` that grows to at most ``largest`` bytes, and is gone at the end of the ``with`` block.

    Attributes
    ----------
    size
        Bytes so far.
    head
        The first of them.
    path
        Where they are.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self._folder = folder
        self.largest = largest
        self.size = 0
        self.head = b""
        self._digest = hashlib.sha256()
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def __enter__(self) -> Self:
        """Make the file; raises :class:`OSError`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        self.path = Path(name)
        self._file = os.fdopen(descriptor, "wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):  # what could not be flushed is not wanted
            self._file.close()
        self.path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises :class:`TooLargeError`, and :class:`OSError` when the disk is full."""
        self.size += len(data)
        if self.size > self.largest:
            raise TooLargeError
        self._file.write(data)
        self._digest.update(data)
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        if self._decoder is not None:
            self._read(data)

    def finish(self) -> None:
        """Take note that there are no more."""
        self._file.flush()
        if self._decoder is not None:
            self._read(b"", final=True)

    def _read(self, data: bytes, *, final: bool = False) -> None:
        assert self._decoder is not None  # noqa: S101  who calls it has looked
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self._decoder = None
        if b"\0" in data:
            self._decoder = None

    @property
    def is_text(self) -> bool:
        """Whether all of it is text in UTF-8."""
        return self._decoder is not None

    @property
    def sha256(self) -> str:
        """The digest of the bytes, in hexadecimal."""
        return self._digest.hexdigest()


def sweep(folder: Path) -> None:
    """Remove what died processes have left in ``folder``, which others may be using."""
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
