"""A circuit breaker: after some failures Modal is left alone for a while, so that no request pays for waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

LONGEST_PAUSE = 600.0

State = Literal["closed", "open", "probing"]


class Breaker:
    """Whether to try, told by how the last tries went.

    Parameters
    ----------
    failures
        Failures in a row after which it opens.
    pause
        Seconds until a probe is due; doubled each time a probe fails, up to :data:`LONGEST_PAUSE`.
    clock
        Returns seconds.
    """

    def __init__(self, *, failures: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._first_pause = pause
        self._pause = pause
        self._clock = clock
        self._next_probe = 0.0
        self.state: State = "closed"
        self.failures = 0
        self.last_error: str | None = None

    @property
    def lets_through(self) -> bool:
        """Whether renders should be sent."""
        return self.state == "closed"

    def succeeded(self) -> None:
        """Note that Modal did its work."""
        self.state, self.failures, self._pause = "closed", 0, self._first_pause
        self.last_error = None

    def failed(self, reason: str, *, at_once: bool = False) -> None:
        """Note a failure; ``at_once`` if it will not heal by trying again."""
        self.failures += 1
        self.last_error = reason
        if self.state == "probing":
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        if self.state == "probing" or (self.state == "closed" and (at_once or self.failures >= self._most)):
            self.state = "open"
            self._next_probe = self._clock() + self._pause

    def probe_due_in(self) -> float:
        """Return the seconds until a probe is due; 0 when it is due now, or none is needed."""
        return max(0.0, self._next_probe - self._clock()) if self.state == "open" else 0.0

    def probe(self) -> None:
        """Begin a probe, which ends with :meth:`succeeded` or :meth:`failed`."""
        self.state = "probing"

    def told(self) -> dict[str, object]:
        """Return what health shows."""
        return {
            "state": self.state,
            "failures": self.failures,
            "next_probe_in": round(self.probe_due_in(), 1) if self.state == "open" else None,
            "last_error": self.last_error,
        }
