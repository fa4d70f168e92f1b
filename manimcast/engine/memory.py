"""Memory of this process: what its limit leaves, and what is free but was not given back to the system."""

from __future__ import annotations

import ctypes
import resource
from pathlib import Path

LEAST = 128 << 20
"""Bytes: more than an encoder asks for at a time."""
MUCH = 64 << 20
"""Bytes that are worth giving back, which takes milliseconds: an encoder that looks ahead leaves hundreds of MB."""
LARGEST = 32 << 20
"""Bytes from which on a block is the system's, not malloc's: as many as glibc has at most."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""See mallopt(3)."""


def is_short() -> bool:
    """Return whether this process has nearly mapped what its limit on address space lets it map.

    A failure may then come of memory that was refused: libraries in C say only that something went wrong.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return False
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return limit - mapped < LEAST


def give_back() -> None:
    """Give what is free to the system, if it is much. A forked process would have it, too, for as long as it lives."""
    if _libc is not None and _libc.mallinfo2().free > MUCH:
        _libc.malloc_trim(0)


def keep() -> None:
    """Keep what is freed for what comes next, from now on, as long as it is not :data:`MUCH`.

    Each segment has an encoder of its own, with some ten MB that are freed with it. Else they go to the system, which
    has to clear them page by page for the next one: a tenth of the processor time of a short render.
    """
    if _libc is not None:
        _libc.mallopt(M_MMAP_THRESHOLD, LARGEST)
        _libc.mallopt(M_TRIM_THRESHOLD, MUCH)


class _Info(ctypes.Structure):
    """``struct mallinfo2``, see mallinfo(3); ``free`` is its ``fordblks``."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "used", "free", "keepcost")
    ]


def _load() -> ctypes.CDLL | None:
    """Return the C library, if it is glibc with what is asked for here."""
    libc = ctypes.CDLL(None)
    try:
        libc.mallinfo2.restype, libc.mallinfo2.argtypes = _Info, ()
        libc.malloc_trim.restype, libc.malloc_trim.argtypes = ctypes.c_int, (ctypes.c_size_t,)
        libc.mallopt.restype, libc.mallopt.argtypes = ctypes.c_int, (ctypes.c_int, ctypes.c_int)
    except AttributeError:
        return None
    return libc


_libc = _load()
