"""What drawing each segment took, in processor time, for those who want to know what more processors would give."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from manimcast.engine.clock import Clock
from manimcast.spec import MAX_SEGMENTS, DrawingWork, SegmentWay, SegmentWork


@dataclass
class Spent:
    """What a segment took, as far as that is known yet: seconds. ``encoding`` may still be running.

    ``processes`` is how many drew it together.
    """

    way: SegmentWay
    ready: float
    step: float = 0.0
    draw: float = 0.0
    encoding: Clock = field(default_factory=Clock)
    processes: int = 1

    def told(self, threads: float = 1.0) -> SegmentWork:
        """Return it for the report. Encoding took ``threads`` times what was counted, if it was done behind."""
        encoding = self.encoding.seconds * (threads if self.way is SegmentWay.behind else 1.0)
        return SegmentWork(
            way=self.way,
            ready=round(self.ready, 4),
            step=round(self.step, 4),
            draw=round(max(0.0, self.draw), 4),
            encode=round(encoding, 4),
            processes=self.processes,
        )


class Ledger:
    """The processor time of the thread that runs the scene, from here on, until :meth:`close`.

    And that of all others of this process until :meth:`settle`: those that encode, with the encoder's own.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._began = time.thread_time()
        self._whole: float | None = None
        self._others_began, self._others = _others(), 0.0

    def now(self) -> float:
        """Return the seconds so far."""
        return max(0.0, time.thread_time() - self._began)

    def close(self) -> None:
        """The last play is played."""
        self._whole = self.now()

    def settle(self) -> None:
        """All that was drawn here is encoded."""
        self._others = _others() - self._others_began

    def told(self, segments: Iterable[Spent], join: float) -> DrawingWork | None:
        """Return what ``segments`` took, and joining them, for the report.

        None when another process has gone on with the scene, whose clock begins anew, or when there are too many.
        """
        segments = list(segments)
        behind = sum(segment.encoding.seconds for segment in segments if segment.way is SegmentWay.behind)
        threads = max(1.0, self._others / behind) if behind else 1.0
        told = [segment.told(threads) for segment in segments]
        if self._whole is None or self._pid != os.getpid() or len(told) > MAX_SEGMENTS:
            return None
        return DrawingWork(scene=round(self._whole, 4), join=round(join, 4), segments=tuple(told))


def _others() -> float:
    return time.process_time() - time.thread_time()
