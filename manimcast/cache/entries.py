"""A folder of entries by key, bounded in size: what has not been used for longest goes first.

An entry is one file: a digest over key and content, then the content. It is written beside its place and renamed, so
that it is there whole or not at all; whatever a crash or a bad disk leaves is found by the digest, and removed. Several
processes may use one folder at once. It is only a cache: where it cannot read or write, it has nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from manimcast.cache.room import ABANDONED_SECONDS, Kept, Room

log = logging.getLogger(__name__)

DIGEST_BYTES = hashlib.sha256().digest_size
UNFINISHED = ".new"

_CHUNK = 1 << 20
_KEY = re.compile(r"[0-9a-f]{64}")


class EntryStore:
    """Entries in ``folder``, which together take at most about ``max_bytes``.

    Keys are SHA-256 digests in hexadecimal. Methods may be called from any thread, and never raise for the disk's sake:
    the first failure is logged, and a lookup that fails finds nothing.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._room = Room(max_bytes, self._survey, _unlink)
        self._complained = False

    def get(self, key: str) -> bytes | None:
        """Return what was put under ``key``, or None when it is not there, or not whole."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                found = file.read(self._max_bytes + 1)
                content = found[DIGEST_BYTES:]
                if found[:DIGEST_BYTES] == _digest(key, content):
                    with suppress(OSError):  # a folder that is only for reading serves as well
                        os.utime(file.fileno())
                    return content
            self._remove_damaged(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._complain(error)
        return None

    def open(self, key: str) -> BinaryIO | None:
        """Return the entry under ``key`` as a file that is at the beginning of what was put; None as :meth:`get`.

        For what is too large to be held in memory, or is to be passed on by the kernel. Whoever removes the entry
        meanwhile, or replaces it, does not change this file.
        """
        path = self._path(key)
        try:
            with path.open("rb") as file:
                digest = hashlib.sha256(key.encode())
                expected = file.read(DIGEST_BYTES)
                while data := file.read(_CHUNK):
                    digest.update(data)
                if digest.digest() == expected:
                    with suppress(OSError):
                        os.utime(file.fileno())
                    file.seek(DIGEST_BYTES)
                    return os.fdopen(os.dup(file.fileno()), "rb")
            self._remove_damaged(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._complain(error)
        return None

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content`` under ``key``; what is too large for the folder is not kept."""
        path = self._path(key)
        size = DIGEST_BYTES + len(content)
        if size > self._max_bytes:
            return
        fresh = path.with_name(f"{key}.{secrets.token_hex(8)}{UNFINISHED}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with fresh.open("xb") as file:
                    file.write(_digest(key, content))
                    file.write(content)
                fresh.replace(path)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
            self._room.make(size)
        except OSError as error:
            self._complain(error)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a key is 64 hexadecimal digits")
        return self._folder / key[:2] / key

    def _survey(self) -> list[Kept]:
        """Return time of use, size and place of each entry, and remove what died processes left."""
        found = []
        for path in self._folder.glob("??/*"):
            try:
                status = path.stat(follow_symlinks=False)
                if path.suffix != UNFINISHED:
                    found.append((status.st_mtime_ns, status.st_size, path))
                elif time.time() - status.st_mtime > ABANDONED_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was faster
        return found

    def _remove_damaged(self, path: Path) -> None:
        log.warning("An entry of the cache is damaged, and is made anew: %s", path)
        path.unlink(missing_ok=True)

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            log.warning("The cache in %s does not work, and nothing is kept there: %s", self._folder, error.strerror)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()
