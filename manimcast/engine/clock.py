"""Processor time of a kind of work, wherever it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Counts seconds of processor time that its user's thread takes, whichever thread that is.

    Attributes
    ----------
    seconds
        So far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done meanwhile."""
        before = time.thread_time()
        try:
            yield
        finally:
            self.seconds += time.thread_time() - before
