"""Ids of renders and batches: ``rnd_`` or ``bat_`` and 26 characters that sort by the time they were made.

The layout is ULID's: 48 bits of milliseconds since 1970, then 80 random bits, in Crockford's base 32, in lower
case. Ids of one process never go back, even when the clock does, so their order is the order of the queue.
"""

from __future__ import annotations

import secrets
import threading
import time

PREFIX = "rnd_"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26
_RANDOM_BITS = 80


class IdMaker:
    """Makes ids in rising order, which begin with ``prefix``; may be shared by threads."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        """Return an id greater than any before it."""
        fresh = time.time_ns() // 1_000_000 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        with self._lock:
            if fresh <= self._last:
                # Same millisecond, or the clock was set back: a random step up keeps the rest hard to guess.
                fresh = self._last + 1 + secrets.randbits(64)
            self._last = fresh
        return self._prefix + "".join(_ALPHABET[fresh >> 5 * place & 31] for place in reversed(range(_LENGTH)))
