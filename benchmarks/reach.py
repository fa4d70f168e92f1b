"""How far it got: each figure that the engine is to reach, beside what was measured.

What was not measured in this run says so, and so does what the service cannot do.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.catalogue import QUALITIES, TYPICAL, names, of_class
from benchmarks.runs import STOCK
from benchmarks.table import Summary, aligned

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Row:
    """One line: what was to be reached, the median and the worst case, and whether the median reaches it."""

    work: str
    target: str
    median: str = NOT_MEASURED
    worst: str = ""
    reached: bool | None = None

    def cells(self) -> list[str]:
        """Return it as cells of the table."""
        return [self.work, self.target, self.median, self.worst, {True: "yes", False: "no", None: ""}[self.reached]]


@dataclass(frozen=True)
class Speed:
    """A figure that comes from pairs of runs: times faster, ``at_least``."""

    work: str
    scenes: tuple[str, ...]
    quality: str
    way: str
    at_least: float


_TYPICAL = of_class(*TYPICAL)
SPEEDS = (
    *(Speed(f"typical 2D scenes, {QUALITIES[quality]}", _TYPICAL, quality, "warm", 5) for quality in QUALITIES),
    *(
        Speed(f"the same, x264 `medium` on both sides, {QUALITIES[quality]}", _TYPICAL, quality, "medium", 3)
        for quality in QUALITIES
    ),
    Speed("wait-heavy, 1080p60", of_class("waits"), "high", "warm", 12),
    Speed("text-heavy, 480p15", of_class("text"), "low", "warm", 8),
    Speed("3D surface, 1080p60", of_class("surface"), "high", "warm", 6),
    Speed("updater-bound, 480p15", of_class("updaters"), "low", "warm", 3),
)
CPU_SHARE = 1 / 3


def rows(summaries: Sequence[Summary]) -> list[Row]:
    """Return the lines that come from pairs of runs."""
    found = [_speed(speed, summaries) for speed in SPEEDS]
    found += [_cpu(quality, summaries) for quality in QUALITIES]
    found += [row for quality in QUALITIES if (row := _all_scenes(quality, summaries))]
    return found


def _speed(speed: Speed, summaries: Sequence[Summary]) -> Row:
    chosen = _choose(summaries, speed.scenes, speed.quality, speed.way)
    target = f"{speed.at_least:g}x"
    if not chosen:
        return Row(speed.work, target)
    median = statistics.median(summary.ratio for summary in chosen)
    worst = min(chosen, key=lambda summary: summary.worst_ratio)
    return Row(
        f"{speed.work} ({len(chosen)} of {len(speed.scenes)})",
        target,
        f"{median:.1f}x",
        f"{worst.worst_ratio:.1f}x {worst.scene}",
        median >= speed.at_least,
    )


def _cpu(quality: str, summaries: Sequence[Summary]) -> Row:
    chosen = _choose(summaries, _TYPICAL, quality, "warm")
    work, target = f"CPU seconds per video, typical, {QUALITIES[quality]}", "0.33 of the CLI's"
    if not chosen:
        return Row(work, target)
    median = statistics.median(summary.cpu_share for summary in chosen)
    worst = max(chosen, key=lambda summary: summary.worst_cpu_share)
    return Row(work, target, f"{median:.2f}", f"{worst.worst_cpu_share:.2f} {worst.scene}", median <= CPU_SHARE)


def _all_scenes(quality: str, summaries: Sequence[Summary]) -> Row | None:
    chosen = _choose(summaries, tuple(names()), quality, "warm")
    if not chosen:
        return None
    worst = min(chosen, key=lambda summary: summary.worst_ratio)
    return Row(
        f"every scene, {QUALITIES[quality]} ({len(chosen)} of {len(names())})",
        "",
        f"{statistics.median(summary.ratio for summary in chosen):.1f}x",
        f"{worst.worst_ratio:.1f}x {worst.scene}",
    )


def _choose(summaries: Sequence[Summary], scenes: tuple[str, ...], quality: str, way: str) -> list[Summary]:
    assert way != STOCK
    return [
        summary
        for summary in summaries
        if summary.scene in scenes and summary.quality == quality and summary.way == way
    ]


def as_markdown(lines: Sequence[Row]) -> str:
    """Return the table."""
    head = ["work", "at least", "median", "worst", "reached"]
    return aligned([head, ["---"] * len(head), *[line.cells() for line in lines]])
