"""A folder of finished results, ``<folder>/<name>/<file>``, on this machine.

A result appears complete or not at all: its files are gathered and flushed in a folder that starts with a dot, which
is then renamed. Names are checked before they touch the file system, so no caller can be talked into leaving the
folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from manimcast.spec import OutputFile, OutputRole
from manimcast.storage.model import NoSuchFile, StorageError, StoredFile

RESULT_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.[a-z0-9]{2,4}", re.ASCII)
Note = Callable[[tuple[StoredFile, ...]], bytes]
_INCOMING = ".incoming-"
_NOTE = ".note"
_CHUNK = 1024 * 1024


class Shelf:
    """The results in one folder. Its methods block: they move, hash and flush files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder and clear away what a killed service left half-written.

        Raises :class:`StorageError` when it cannot be written.
        """
        with plainly(f"DATA_DIR {self.folder.parent} cannot be written"):
            self.folder.mkdir(parents=True, exist_ok=True)
            for leftover in self.folder.glob(f"{_INCOMING}*"):
                if (lock := locked(leftover)) is not None:  # else another process is at work there
                    shutil.rmtree(leftover, ignore_errors=True)
                    os.close(lock)
            incoming, lock = self._incoming("start")
            incoming.rmdir()
            os.close(lock)

    def put(
        self, name: str, directory: Path, files: tuple[OutputFile, ...], *, note: Note | None = None
    ) -> tuple[StoredFile, ...]:
        """Move ``files``, one of which is a video, from ``directory`` into the result ``name``.

        ``note`` makes of the stored files what is kept beside them, for :meth:`notes`. What was there under that name
        is replaced. Raises :class:`StorageError`, and then keeps nothing, when a file is missing, is not what it is
        said to be, or cannot be written.
        """
        if not RESULT_NAME.fullmatch(name):
            raise StorageError(f"{name[:100]!r} is no render id")
        if not any(file.role is OutputRole.video for file in files):
            raise StorageError("the render reports no video")
        with plainly("the video could not be stored"):
            incoming, lock = self._incoming(name)
            try:
                stored = tuple(_take(directory, incoming, file) for file in files)
                if note is not None:
                    write_flushed(incoming / _NOTE, note(stored))
                flush(incoming)
                self.remove(name)
                incoming.rename(self.folder / name)
                flush(self.folder)
            except BaseException:
                shutil.rmtree(incoming, ignore_errors=True)
                raise
            finally:
                os.close(lock)
        return stored

    def path(self, name: str, file: str) -> Path:
        """Return where a file lies, or raise :class:`NoSuchFile`."""
        if not RESULT_NAME.fullmatch(name) or not FILE_NAME.fullmatch(file):
            raise NoSuchFile(f"a render has no file {file[:100]!r}")
        path = self.folder / name / file
        try:
            found = stat.S_ISREG(path.lstat().st_mode)
        except FileNotFoundError:
            found = False
        if not found:
            raise NoSuchFile(f"render {name} has no file {file!r}")
        return path

    def holds(self, name: str, files: Iterable[StoredFile]) -> bool:
        """Tell whether these files of a result are there, and are what they were when they were put there."""
        try:
            return all(_is(self.path(name, file.name), file) for file in files)
        except (NoSuchFile, OSError):
            return False

    def notes(self) -> dict[str, bytes]:
        """Return the notes of all results that have one, by the results' names."""
        return {path.parent.name: path.read_bytes() for path in self.folder.glob(f"*/{_NOTE}")}

    def remove(self, name: str) -> None:
        """Remove a result; nothing there is no error."""
        if not RESULT_NAME.fullmatch(name):
            raise NoSuchFile(f"{name[:100]!r} is no render id")
        # Renamed first, so that nobody finds half of it while it goes.
        doomed = self.folder / f"{_INCOMING}gone-{name}-{secrets.token_hex(4)}"
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).rename(doomed)
            shutil.rmtree(doomed)

    def _incoming(self, name: str) -> tuple[Path, int]:
        """Make a folder to gather files in, and return it with the descriptor that holds its lock."""
        token = secrets.token_hex(4)
        folder, draft = self.folder / f"{_INCOMING}{name}-{token}", self.folder / f".new-{token}"
        draft.mkdir()
        lock = locked(draft)  # before it has the name by which it could be taken for what a dead process has left
        assert lock is not None  # noqa: S101 - nobody else knows of it
        draft.rename(folder)
        return folder, lock


_REMEDY = {
    errno.ENOSPC: "The disk is full: free some space, or set DATA_DIR to a folder on a larger disk.",
    errno.EDQUOT: "The disk quota is used up: free some space, or set DATA_DIR to a folder elsewhere.",
    errno.EROFS: "The file system is read-only: set DATA_DIR to a folder that can be written.",
    errno.EACCES: "Give the service's user write access to DATA_DIR, or set it to a folder that it may write.",
    errno.EPERM: "Give the service's user write access to DATA_DIR, or set it to a folder that it may write.",
    errno.ENOTDIR: "Something on the way is a file: set DATA_DIR to a folder.",
    errno.EEXIST: "Something on the way is a file: set DATA_DIR to a folder.",
}


@contextlib.contextmanager
def plainly(what: str) -> Iterator[None]:
    """Turn an ``OSError`` into a :class:`StorageError` that says what happened and what helps."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        remedy = _REMEDY.get(error.errno or 0, "Check DATA_DIR.")
        raise StorageError(f"{what}: {reason}. {remedy}") from error


def opened(path: Path) -> BinaryIO:
    """Open a stored file for reading; raises :class:`NoSuchFile`, and :class:`StorageError` when it cannot be read."""
    try:
        return path.open("rb")
    except FileNotFoundError:  # removed at this very moment
        raise NoSuchFile("the file is not there any more") from None
    except OSError as error:
        raise StorageError(f"a stored file cannot be read: {error.strerror}") from error


def _is(path: Path, file: StoredFile) -> bool:
    with path.open("rb") as reader:
        is_as_long = os.fstat(reader.fileno()).st_size == file.bytes
        return is_as_long and hashlib.file_digest(reader, "sha256").hexdigest() == file.sha256


def _take(source: Path, target: Path, file: OutputFile) -> StoredFile:
    """Move one file, flush it and return what it is. Only a regular file of the reported size is taken."""
    if not FILE_NAME.fullmatch(file.name):
        raise StorageError(f"the render reports a file with the impossible name {file.name[:100]!r}")
    try:
        descriptor = os.open(source / file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise StorageError(f"the render reports a file {file.name} that it did not write") from None
    with os.fdopen(descriptor, "rb") as reader:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != file.bytes:
            raise StorageError(f"the render's file {file.name} is not the one that it reports")
        digest = hashlib.file_digest(reader, "sha256").hexdigest()
        try:
            (source / file.name).rename(target / file.name)
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            reader.seek(0)
            _copy(reader, target / file.name)
    return StoredFile(role=file.role, name=file.name, bytes=file.bytes, sha256=digest)


def _copy(reader: IO[bytes], target: Path) -> None:
    """Copy to another file system, which a rename cannot reach."""
    with target.open("xb") as writer:
        shutil.copyfileobj(reader, writer, _CHUNK)
        writer.flush()
        os.fsync(writer.fileno())


def locked(folder: Path) -> int | None:
    """Lock a folder, for as long as the process lives or the descriptor is open; None if somebody else has the lock."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def write_flushed(path: Path, content: bytes) -> None:
    """Write a file that is there, whole, after a power cut, once its folder has been flushed as well."""
    with path.open("wb") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())


def flush(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
