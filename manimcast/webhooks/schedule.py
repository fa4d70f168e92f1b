"""When a delivery that failed is tried again: soon at first, then over hours, never all at the same moment."""

from __future__ import annotations

import random

PAUSES = (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
"""Seconds after each failed try; after one more than there are pauses, the delivery has failed."""
TRIES = len(PAUSES) + 1
JITTER = 0.15
"""How much longer or shorter a pause is, at most, as a part of it: receivers that were down get no wave."""
LONGEST_WISH = 12 * 3600
"""Seconds that a receiver may ask for in ``Retry-After``, at most."""


def pause(tries: int, wish: float | None = None) -> float | None:
    """Return in how many seconds to go on after so many tries; None when there is no further one.

    ``wish`` is what the receiver asked for: it is waited for longer than usual, but never less long.
    """
    if tries >= TRIES:
        return None
    usual: float = PAUSES[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - nothing hangs on it
    return max(usual, min(wish or 0.0, LONGEST_WISH))
