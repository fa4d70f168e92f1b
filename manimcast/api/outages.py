"""What clients are told when the service cannot reach or write its own data.

The error itself names folders, hosts and buckets of the service: it goes to the log. Clients are told that it is not
them, and why as far as that gives nothing away.
"""

from __future__ import annotations

import logging
import os
import sqlite3

from manimcast.api.problems import Problem, ProblemError

logger = logging.getLogger(__name__)

RETRY_AFTER = "30"
"""Seconds: somebody has to see to it."""


def outage(error: Exception, what: str = "the service cannot use its data at the moment") -> ProblemError:
    """Return the answer to a request that met ``error``, and log that."""
    logger.error("A request is answered with 503: %s", error)
    reason = _reason(error)
    detail = f"{what}: {reason}" if reason else what
    return ProblemError(Problem.storage_unavailable, detail, headers={"retry-after": RETRY_AFTER})


def _reason(error: BaseException | None) -> str | None:
    """Return what the system or SQLite says; neither names anything of the service."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return os.strerror(error.errno)
        if isinstance(error, sqlite3.Error):
            return str(error)
        error = error.__cause__
    return None
