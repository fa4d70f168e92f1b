"""Take files out of a directory that untrusted code writes to, and put some there.

A name is opened beneath the directory's own descriptor, without following any link and without leaving the file
system; what is opened must be a regular file with one link, and no more is copied than is allowed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SYS_OPENAT2 = 437  # the same on every architecture
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_RESOLVE = _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY
_CHUNK = 1 << 24

_libc = ctypes.CDLL(None, use_errno=True)


class CollectError(Exception):
    """A file cannot be taken, because it is not what a finished render leaves."""


def take(directory: int, name: str, target: Path, *, limit: int) -> int:
    """Copy the file ``name`` in ``directory`` to ``target`` and return its size in bytes.

    ``directory`` is a descriptor. Raises :class:`CollectError` when the file is missing, is not a plain file, or is
    larger than ``limit``; and :class:`OSError` when ``target`` cannot be written.
    """
    with _plain_file(directory, name, _FLAGS) as (source, size):
        _within(name, size, limit)
        with target.open("xb") as output:
            return _copy(source, output.fileno(), size)


def read(directory: int, name: str, *, limit: int) -> bytes:
    """Return the content of the file ``name``, under the conditions of :func:`take`."""
    with _plain_file(directory, name, _FLAGS) as (source, size):
        _within(name, size, limit)
        with os.fdopen(source, "rb", closefd=False) as file:
            return file.read(size)  # a file that grows meanwhile is not followed


def fill(directory: int, name: str, content: bytes) -> None:
    """Write ``content`` into the file ``name``, which must be there and be empty.

    It is the other side that makes the file: in a file system of its user's, the service could not. Raises
    :class:`CollectError` when it is not such a file, and when there is no room.
    """
    with _plain_file(directory, name, _FLAGS & ~os.O_RDONLY | os.O_WRONLY) as (target, size):
        _within(name, size, 0)
        try:
            done = 0
            while done < len(content):
                done += os.pwrite(target, content[done : done + _CHUNK], done)
        except OSError as error:
            raise CollectError(f"{name}: {error.strerror}") from None


@contextmanager
def _plain_file(directory: int, name: str, flags: int) -> Iterator[tuple[int, int]]:
    """Open the file ``name``; yield a descriptor and its size, if it is a plain file and has no other name."""
    try:
        descriptor = _open_beneath(directory, name, flags)
    except OSError as error:
        raise CollectError(f"{name}: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CollectError(f"{name}: not a regular file")
        if status.st_nlink != 1:
            raise CollectError(f"{name}: has other names")
        yield descriptor, status.st_size
    finally:
        os.close(descriptor)


def _within(name: str, size: int, limit: int) -> None:
    if size > limit:
        raise CollectError(f"{name}: {size} bytes; at most {limit} are allowed")


def _open_beneath(directory: int, name: str, flags: int) -> int:
    how = struct.pack("QQQ", flags, 0, _RESOLVE)
    descriptor = _libc.syscall(
        ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(directory), os.fsencode(name), how, ctypes.c_size_t(len(how))
    )
    if descriptor < 0:
        number = ctypes.get_errno()
        if number == errno.ENOSYS:
            return _step_down(directory, name, flags)
        raise OSError(number, os.strerror(number), name)
    return int(descriptor)


def _step_down(directory: int, name: str, flags: int) -> int:
    """Open ``name`` where the kernel has no openat2, such as gVisor and old ones.

    A name of one part can only lead out of the directory by being a link, which O_NOFOLLOW refuses, or by being the
    folder above.
    """
    *folders, last = name.split("/")
    if not all(folders) or {"", ".", ".."} & {*folders, last}:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), name)
    here = os.dup(directory)
    try:
        for folder in folders:
            deeper = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = deeper
        return os.open(last, flags, dir_fd=here)
    finally:
        os.close(here)


def _copy(source: int, target: int, size: int) -> int:
    """Copy ``size`` bytes, in the kernel; a file that grows meanwhile is not followed."""
    done = 0
    while done < size:
        try:
            count = os.copy_file_range(source, target, min(size - done, _CHUNK))
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}:
                raise
            count = os.sendfile(target, source, done, min(size - done, _CHUNK))
            os.lseek(source, done + count, os.SEEK_SET)
        if count == 0:
            break
        done += count
    return done
