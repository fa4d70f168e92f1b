"""Take finished files out of a directory that untrusted code wrote to.

A name is opened beneath the directory's own descriptor, without following any link and without leaving the file
system; what is opened must be a regular file with one link, and no more is copied than is allowed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
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
    try:
        source = _open_beneath(directory, name)
    except OSError as error:
        raise CollectError(f"{name}: {error.strerror}") from None
    try:
        status = os.fstat(source)
        if not stat.S_ISREG(status.st_mode):
            raise CollectError(f"{name}: not a regular file")
        if status.st_nlink != 1:
            raise CollectError(f"{name}: has other names")
        if status.st_size > limit:
            raise CollectError(f"{name}: {status.st_size} bytes; at most {limit} are allowed")
        with target.open("xb") as output:
            return _copy(source, output.fileno(), status.st_size)
    finally:
        os.close(source)


def _open_beneath(directory: int, name: str) -> int:
    how = struct.pack("QQQ", _FLAGS, 0, _RESOLVE)
    descriptor = _libc.syscall(
        ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(directory), os.fsencode(name), how, ctypes.c_size_t(len(how))
    )
    if descriptor < 0:
        number = ctypes.get_errno()
        if number == errno.ENOSYS and "/" not in name:
            # gVisor and old kernels have no openat2. A name of one part can only lead out of the directory by
            # being a link, which O_NOFOLLOW refuses.
            return os.open(name, _FLAGS, dir_fd=directory)
        raise OSError(number, os.strerror(number), name)
    return int(descriptor)


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
