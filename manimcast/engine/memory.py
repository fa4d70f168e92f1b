"""Whether a failure may come of memory that was refused: libraries in C say only that something went wrong."""

from __future__ import annotations

import resource
from pathlib import Path

LEAST = 128 << 20
"""Bytes: more than an encoder asks for at a time."""


def is_short() -> bool:
    """Return whether this process has nearly mapped what its limit on address space lets it map."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return False
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return limit - mapped < LEAST
