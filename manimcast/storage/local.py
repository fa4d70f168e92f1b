"""Videos in a folder of this machine: ``DATA_DIR/videos/<render id>/<name>``.

A render's folder appears complete or not at all: its files are gathered and flushed in a folder that starts
with a dot, which is then renamed. Names are checked before they touch the file system, so no caller can be
talked into leaving the folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from manimcast.settings import Settings
from manimcast.spec import OutputFile, OutputRole, RenderReport
from manimcast.storage.links import SignedLink, Signer, check_key, make_key
from manimcast.storage.model import NoSuchFile, StorageError, StoredFile, StoredResult

RENDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.[a-z0-9]{2,4}", re.ASCII)
_INCOMING = ".incoming-"
_CHUNK = 1024 * 1024


class LocalStorage:
    """Keeps finished files under ``DATA_DIR/videos`` and signs links to them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._data = settings.data_dir.absolute()
        self._videos = self._data / "videos"
        self._signer: Signer | None = None

    async def start(self) -> None:
        """Make the folders and the key, and clear away what a killed service left half-written.

        Raises :class:`StorageError` when ``DATA_DIR`` cannot be written.
        """
        await asyncio.to_thread(self._prepare)

    async def put(self, render_id: str, directory: Path, report: RenderReport) -> StoredResult:
        """Move the files that ``report`` names from ``directory`` into the storage.

        What an earlier attempt had stored under the same id is replaced. Raises :class:`StorageError`, and
        then keeps nothing, when a file is missing, is not what the report says, or cannot be written.
        """
        return await asyncio.to_thread(self._put, render_id, directory, report.files)

    def path(self, render_id: str, name: str) -> Path:
        """Return where a stored file lies, or raise :class:`NoSuchFile`."""
        if not RENDER_ID.fullmatch(render_id) or not FILE_NAME.fullmatch(name):
            raise NoSuchFile(f"a render has no file {name[:100]!r}")
        path = self._videos / render_id / name
        try:
            found = stat.S_ISREG(path.lstat().st_mode)
        except FileNotFoundError:
            found = False
        if not found:
            raise NoSuchFile(f"render {render_id} has no file {name!r}")
        return path

    def open(self, render_id: str, name: str) -> IO[bytes]:
        """Open a stored file for reading, or raise :class:`NoSuchFile`."""
        return self.path(render_id, name).open("rb")

    async def delete(self, render_id: str) -> None:
        """Remove everything that is stored for a render; nothing there is no error."""
        if not RENDER_ID.fullmatch(render_id):
            raise NoSuchFile(f"{render_id[:100]!r} is no render id")
        await asyncio.to_thread(self._delete, render_id)

    def sign(self, render_id: str, name: str, ttl: float | None = None) -> SignedLink:
        """Return a link to the file that works for ``ttl`` seconds, ``LINK_TTL`` by default."""
        return self._links.sign(render_id, name, self._settings.link_ttl if ttl is None else ttl)

    def verify(self, render_id: str, name: str, *, expires: str, signature: str) -> None:
        """Return if the link is good, else raise ``LinkForged`` or ``LinkExpired``."""
        self._links.verify(render_id, name, expires=expires, signature=signature)

    @property
    def _links(self) -> Signer:
        if self._signer is None:
            raise RuntimeError("the storage was not started")
        return self._signer

    def _prepare(self) -> None:
        with _plainly(f"DATA_DIR {self._data} cannot be written", _REMEDY):
            self._videos.mkdir(parents=True, exist_ok=True)
            for leftover in self._videos.glob(f"{_INCOMING}*"):
                shutil.rmtree(leftover)
            probe = self._incoming("start")
            probe.rmdir()
            if self._settings.signing_key is not None:
                self._signer = Signer(check_key(self._settings.signing_key.get_secret_value()))
            else:
                self._signer = Signer(make_key(self._data / "signing.key"))

    def _put(self, render_id: str, directory: Path, files: tuple[OutputFile, ...]) -> StoredResult:
        if not RENDER_ID.fullmatch(render_id):
            raise StorageError(f"{render_id[:100]!r} is no render id")
        if not any(file.role is OutputRole.video for file in files):
            raise StorageError("the render reports no video")
        with _plainly("the video could not be stored", _REMEDY):
            incoming = self._incoming(render_id)
            try:
                stored = tuple(_take(directory, incoming, file) for file in files)
                _flush(incoming)
                self._delete(render_id)
                incoming.rename(self._videos / render_id)
                _flush(self._videos)
            except BaseException:
                shutil.rmtree(incoming, ignore_errors=True)
                raise
        return StoredResult(files=stored)

    def _incoming(self, render_id: str) -> Path:
        folder = self._videos / f"{_INCOMING}{render_id}-{secrets.token_hex(4)}"
        folder.mkdir()
        return folder

    def _delete(self, render_id: str) -> None:
        # Renamed first, so that nobody finds half of it while it goes.
        doomed = self._videos / f"{_INCOMING}gone-{render_id}-{secrets.token_hex(4)}"
        with contextlib.suppress(FileNotFoundError):
            (self._videos / render_id).rename(doomed)
            shutil.rmtree(doomed)


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
def _plainly(what: str, remedies: dict[int, str]) -> Iterator[None]:
    """Turn an ``OSError`` into a :class:`StorageError` that says what happened and what helps."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        remedy = remedies.get(error.errno or 0, "Check DATA_DIR.")
        raise StorageError(f"{what}: {reason}. {remedy}") from error


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


def _flush(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
