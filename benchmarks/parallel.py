"""What more cores would give, accounted from measured segment times: two cores cannot show it.

A render on several cores is one process that runs the scene, draws what is not worth another process, and hands out the
other segments, each of which a process or thread, or several together, work on when cores are free. Given how long each
segment takes and when it was handed out, the time on any number of cores follows.
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
    """``ready`` seconds of the scene's process came before it; it takes ``seconds`` of one core."""

    ready: float
    seconds: float


@dataclass(frozen=True)
class Work:
    """One render, in seconds of a core: the segments that were handed out, the scene's process, and joining at last."""

    segments: tuple[Segment, ...]
    scene: float
    joining: float = 0.0

    @property
    def total(self) -> float:
        """Seconds on a single core, were it all done there."""
        return self.scene + sum(segment.seconds for segment in self.segments) + self.joining

    def on(self, cores: int) -> float:
        """Return the seconds on ``cores`` cores, one of which runs the scene to its end, then draws as well."""
        if cores == 1:
            return self.total
        free = [0.0] * (cores - 1) + [self.scene]
        heapq.heapify(free)
        end = self.scene
        for segment in self.segments:
            done = max(heapq.heappop(free), segment.ready) + segment.seconds
            heapq.heappush(free, done)
            end = max(end, done)
        return end + self.joining


def efficiency(alone: Work, shared: Work, cores: int = CORES) -> float:
    """Return the share of ``cores`` cores that is of use, from 0 to 1.

    ``alone`` is the render by one process, ``shared`` the same by so many. What the latter takes beyond the former, for
    forking and for stepping twice, is of no use.
    """
    return alone.total / (cores * shared.on(cores))


def work_of(told: dict[str, Any] | None) -> Work | None:
    """Return the work of a render from ``work``, as the service answers with it; None when there is none."""
    if told is None:
        return None
    segments = []
    for segment in told["segments"]:
        seconds = segment["encode"]
        if segment["way"] in {"apart", "over"}:
            seconds += segment["step"] + segment["draw"]
        if segment["way"] != "alone":
            shares = _shares(seconds, segment["encode"], segment.get("processes", 1))
            segments += [Segment(segment["ready"], share) for share in shares]
    return Work(tuple(segments), scene=told["scene"], joining=told["join"])


def _shares(seconds: float, encode: float, processes: int) -> list[float]:
    """Return what each of the processes takes that draw a segment of ``seconds`` together.

    Each takes a frame whenever it is done with one, so they are done at the same time; but for the one that encodes,
    when that alone is more than its share.
    """
    if processes == 1:
        return [seconds]
    first = max(encode, seconds / processes)
    return [first, *[(seconds - first) / (processes - 1)] * (processes - 1)]
