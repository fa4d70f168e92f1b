"""A folder of bundles by key, bounded in size: some files with a note about them, kept and found together.

Files come in and go out as further names of the same data (hard links), so that keeping a video costs no room while it
is stored as well; where that cannot be, they are copied. Each name can be removed without the other. A bundle is a
folder that is renamed into its place when it is whole. Its note begins with a digest over key and note, and names the
digest of every file: what a crash or a bad disk leaves is found by that, and removed. Several processes may use one
folder at once. It is only a cache: where it cannot read or write, it has nothing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from manimcast.cache.room import ABANDONED_SECONDS, Kept, Room

log = logging.getLogger(__name__)

NOTE = "note"
UNFINISHED = ".new-"
MAX_NOTE = 16 * 1024 * 1024

_KEY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.[a-z0-9]{2,4}")
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}


class _DamagedError(Exception):
    """A bundle is not what was put there."""


class BundleStore:
    """Bundles in ``folder``, which together take at most about ``max_bytes``.

    Keys are SHA-256 digests in hexadecimal; whose a bundle is goes into its key. Methods may be called from any thread,
    and never raise for the disk's sake: the first failure is logged, and a lookup that fails finds nothing.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._room = Room(max_bytes, self._survey, self._remove)
        self._complained = False

    def take(self, key: str, into: Path) -> str | None:
        """Put the files of the bundle into the folder ``into``, and return its note; None when there is none.

        What is returned has been compared with the digests, after it was put there. Nothing is left in ``into`` of
        a bundle that is not whole, which is removed.
        """
        place = self._place(key)
        taken: list[Path] = []
        try:
            files, note = _read_note(place / NOTE, key)
            for name, (size, digest) in files.items():
                _link(place / name, into / name)
                taken.append(into / name)
                if not _is(into / name, size, digest):
                    raise _DamagedError
            with suppress(OSError):  # a folder that is only for reading serves as well
                os.utime(place / NOTE)
        except _DamagedError:
            log.warning("An entry of the cache is damaged, and is made anew: %s", place)
            self._remove(place)
        except FileNotFoundError:
            if place.is_dir():  # a note without its files, or the other way round; or another process removes it
                self._remove(place)
        except OSError as error:
            self._complain(error)
        else:
            return note
        for path in taken:
            path.unlink(missing_ok=True)
        return None

    def put(self, key: str, files: Iterable[Path], note: str) -> None:
        """Keep ``files`` by their names, with ``note``; what is too large for the folder is not kept.

        What was kept under ``key`` before gives way to it.
        """
        place = self._place(key)
        draft = self._folder / f"{UNFINISHED}{secrets.token_hex(8)}"
        try:
            draft.mkdir(mode=0o700, parents=True)
            try:
                size = _fill(draft, key, files, note)
                if size > self._max_bytes:
                    return
                self._swap(draft, place)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            self._room.make(size)
        except OSError as error:
            self._complain(error)

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("a key is 64 hexadecimal digits")
        return self._folder / key[:2] / key

    def _swap(self, draft: Path, place: Path) -> None:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        self._remove(place)
        try:
            draft.rename(place)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            # another process put the same there meanwhile

    def _remove(self, place: Path) -> None:
        """Remove a bundle at once, and its files after that."""
        doomed = self._folder / f"{UNFINISHED}gone-{secrets.token_hex(8)}"
        try:
            place.rename(doomed)
        except FileNotFoundError:
            return
        except OSError as error:
            self._complain(error)
            return
        shutil.rmtree(doomed, ignore_errors=True)

    def _survey(self) -> list[Kept]:
        """Return time of use, size and place of each bundle, and remove what died processes left."""
        found = []
        for place in self._folder.glob("??/*"):
            with suppress(FileNotFoundError, NotADirectoryError):  # another process was faster
                used = (place / NOTE).stat().st_mtime_ns if (place / NOTE).exists() else 0
                found.append((used, sum(path.lstat().st_size for path in place.iterdir()), place))
        for draft in self._folder.glob(f"{UNFINISHED}*"):
            with suppress(FileNotFoundError):
                if time.time() - draft.lstat().st_mtime > ABANDONED_SECONDS:
                    shutil.rmtree(draft, ignore_errors=True)
        return found

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            log.warning("The cache in %s does not work, and nothing is kept there: %s", self._folder, error.strerror)


def _fill(draft: Path, key: str, files: Iterable[Path], note: str) -> int:
    """Put everything into the folder ``draft`` and return how many bytes that are."""
    listed: dict[str, tuple[int, str]] = {}
    for path in files:
        if not _NAME.fullmatch(path.name):
            raise ValueError(f"{path.name[:100]!r} is no name of a file in a bundle")
        _link(path, draft / path.name)
        with (draft / path.name).open("rb") as file:
            listed[path.name] = os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
    body = json.dumps({"files": listed, "note": note})
    (draft / NOTE).write_text(_digest(key, body) + body, encoding="utf-8")
    return sum(size for size, _ in listed.values()) + len(body)


def _link(source: Path, target: Path) -> None:
    """Give the file another name; where that cannot be, copy it. A link in place of a file is refused."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copyfile(source, target, follow_symlinks=False)
    if not stat.S_ISREG(target.lstat().st_mode):
        target.unlink()
        raise _DamagedError


def _is(path: Path, size: int, digest: str) -> bool:
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size == size and hashlib.file_digest(file, "sha256").hexdigest() == digest


def _read_note(path: Path, key: str) -> tuple[dict[str, tuple[int, str]], str]:
    with path.open("rb") as file:
        found = file.read(MAX_NOTE + 1)
    digest, body = found[:64].decode("ascii", "replace"), found[64:].decode("utf-8", "replace")
    if digest != _digest(key, body):
        raise _DamagedError
    content = json.loads(body)
    return {name: (size, digest) for name, (size, digest) in content["files"].items()}, content["note"]


def _digest(key: str, body: str) -> str:
    return hashlib.sha256((key + body).encode()).hexdigest()
