"""A zip, unpacked into the scene's folder: inside confinement, and no further than its bounds.

What an archive says of itself is not believed: bytes are counted as they come out. Names obey the same rules as those
of single files. Anything else than plain files and folders, deflated or stored, is refused, and then nothing runs.
"""

from __future__ import annotations

import errno
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from manimcast.names import check_name, check_together

MAX_ENTRIES = 1000
MAX_BYTES = 256 << 20
"""Of all files together, unpacked."""
MAX_RATIO = 100
"""Bytes that come out of one that is in the archive, beyond :data:`FREE`."""
FREE = 1 << 20
LEFT_OUT = frozenset({"__MACOSX", "__pycache__"})
"""Folders that programs which pack leave behind; likewise whatever begins with a dot."""

_CHUNK = 1 << 18
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


class UnpackError(Exception):
    """An archive is not unpacked. The message says why."""


def unpack(archive: Path, directory: Path, below: str = "") -> tuple[str, ...]:
    """Unpack ``archive`` into ``directory``, below the folder ``below`` in it; return the names of its files there.

    Raises :class:`UnpackError`; some of the files may then be there.
    """
    most = min(MAX_BYTES, archive.stat().st_size * MAX_RATIO + FREE)
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = _entries(packed, below)
            left = most
            for name, entry in entries.items():
                left -= _take(packed, entry, directory / name, left, most)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UnpackError(str(error) or "it is damaged") from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # something is said to lie before the beginning
            raise
        raise UnpackError("it is damaged") from None
    return tuple(entries)


def _entries(packed: zipfile.ZipFile, below: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files in ``packed`` by the names that they will have, all of them checked."""
    listed = packed.infolist()
    if len(listed) > MAX_ENTRIES:
        raise UnpackError(f"it has {len(listed)} entries; at most {MAX_ENTRIES} are unpacked")
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in listed:
        # As it is written there: zipfile itself cuts names at a NUL, and takes backslashes for slashes.
        parts = PurePosixPath(entry.orig_filename).parts
        if entry.filename.endswith("/") or any(
            part in LEFT_OUT or (part[0] == "." and not part.startswith("..")) for part in parts
        ):
            continue
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            raise UnpackError(f"{entry.filename[:100]!r} is no plain file")
        if entry.flag_bits & _ENCRYPTED:
            raise UnpackError(f"{entry.filename[:100]!r} is encrypted")
        if entry.compress_type not in _METHODS:
            raise UnpackError(f"{entry.filename[:100]!r} is neither deflated nor stored")
        name = check_name(f"{below}/{entry.orig_filename}" if below else entry.orig_filename)
        if name in found:
            raise UnpackError(f"there are two files {name!r}")
        found[name] = entry
    check_together(found)
    return found


def _take(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, left: int, most: int) -> int:
    """Write one file and return its length, which may be ``left`` at most."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with packed.open(entry) as source, path.open("xb") as target:
        while data := source.read(_CHUNK):
            size += len(data)
            if size > left:
                raise UnpackError(f"it unpacks to more than {most} bytes")
            target.write(data)
    return size
