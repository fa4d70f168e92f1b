"""nanio with a clock that is some seconds ahead: ``python -m tests.buckets.nanio SECONDS serve ...``."""

from __future__ import annotations

import datetime
import sys
from typing import Self

from nanio import cli
from nanio.auth import sigv4


class Clock(datetime.datetime):
    """The time as this server takes it to be."""

    ahead = datetime.timedelta()

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return super().now(tz) + cls.ahead


if __name__ == "__main__":
    Clock.ahead = datetime.timedelta(seconds=float(sys.argv.pop(1)))
    sigv4.datetime = Clock
    sys.exit(cli.main())
