"""What more cores would give, accounted from measured segment times: two cores cannot show it.

A render on several cores is one process that steps the scene and hands out segments, each of which a drawing process
draws and encodes when a core is free. Given how long each segment takes and when it was handed out, the time on any
number of cores follows.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

CORES = 8
LEAST_WORK = 10.0
"""Seconds of work from which on a scene counts."""


@dataclass(frozen=True)
class Segment:
    """``ready`` seconds of stepping came before it; drawing and encoding take ``seconds`` of one core."""

    ready: float
    seconds: float


@dataclass(frozen=True)
class Work:
    """One render: its segments in order, the seconds of stepping, and those after the last segment (joining)."""

    segments: tuple[Segment, ...]
    stepping: float
    joining: float = 0.0

    @property
    def total(self) -> float:
        """Seconds on a single core."""
        return self.stepping + sum(segment.seconds for segment in self.segments) + self.joining

    def on(self, cores: int) -> float:
        """Return the seconds on ``cores`` cores, one of which steps until it has nothing left to step, then draws."""
        if cores == 1:
            return self.total
        free = [0.0] * (cores - 1) + [self.stepping]
        heapq.heapify(free)
        end = self.stepping
        for segment in self.segments:
            done = max(heapq.heappop(free), segment.ready) + segment.seconds
            heapq.heappush(free, done)
            end = max(end, done)
        return end + self.joining

    def efficiency(self, cores: int) -> float:
        """Return the share of ``cores`` cores that is of use, from 0 to 1."""
        return self.total / (cores * self.on(cores))


def work_of(timings: dict[str, Any]) -> Work | None:
    """Return the work of a render from the ``timings`` that the service answers with; None when they do not tell it.

    They do when there is a list ``segments`` of ``{"ready": s, "seconds": s}`` beside ``step`` and ``join``.
    """
    segments = timings.get("segments")
    if not segments:
        return None
    return Work(
        tuple(Segment(float(segment["ready"]), float(segment["seconds"])) for segment in segments),
        stepping=float(timings.get("step", 0)),
        joining=float(timings.get("join", 0)),
    )
