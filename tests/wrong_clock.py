"""A program on a host whose clock is wrong: ``python -m tests.wrong_clock FILE PROGRAM``.

``FILE`` has the seconds by which the clock is ahead, at each moment. What it is set by is all that Python's ``time``
and ``datetime`` tell of the time of day, and so what SQLite is lent; what measures how long something takes is never
set on any host.
"""

from __future__ import annotations

import datetime
import os
import runpy
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_WIDTH = 16


@dataclass(frozen=True)
class Clock:
    """The clock of one host, for who sets it: from the outside, while the programs run."""

    path: Path

    def set(self, ahead: float) -> None:
        """Set it so many seconds ahead of the right time."""
        # In one write of always as many bytes: whoever reads meanwhile sees the old time or the new one.
        with self.path.open("r+b" if self.path.exists() else "wb", buffering=0) as file:
            file.write(f"{ahead:{_WIDTH}.1f}".encode())


def _set_by(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    right, right_ns, real = time.time, time.time_ns, datetime.datetime

    def ahead() -> float:
        return float(os.pread(descriptor, _WIDTH, 0))

    class Meta(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, real)

    class Datetime(real, metaclass=Meta):
        """What programs take for ``datetime``, as this comes before they import it."""

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return real.now(tz) + datetime.timedelta(seconds=ahead())

    time.time = lambda: right() + ahead()
    time.time_ns = lambda: right_ns() + int(ahead() * 1e9)
    datetime.datetime = Datetime  # type: ignore[misc]


if __name__ == "__main__":
    _set_by(sys.argv[1])
    del sys.argv[:2]
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")
