"""From runs to a table: medians, worst cases, and how many times faster than stock Manim."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.runs import STOCK, Run


@dataclass(frozen=True)
class Summary:
    """One scene, one way. Times in seconds.

    ``ratio`` is the median over the rounds of stock Manim's time over this one, both of the same round;
    ``worst_ratio`` is the smallest of those. For stock Manim itself both are 1.
    """

    scene: str
    way: str
    median: float
    worst: float
    ratio: float
    worst_ratio: float
    frames: int


def summarize(runs: Sequence[Run]) -> list[Summary]:
    """Return a summary of each scene and way, in the order in which they first appear.

    Raises :class:`ValueError` when a run has no run of stock Manim beside it.
    """
    stock = {(run.scene, run.round): run.seconds for run in runs if run.way == STOCK}
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if (run.scene, run.round) not in stock:
            raise ValueError(f"no run of stock Manim beside {run.scene}, round {run.round}")
        grouped.setdefault((run.scene, run.way), []).append(run)
    summaries = []
    for (scene, way), group in grouped.items():
        seconds = [run.seconds for run in group]
        ratios = [stock[run.scene, run.round] / run.seconds for run in group]
        summaries.append(
            Summary(
                scene=scene,
                way=way,
                median=statistics.median(seconds),
                worst=max(seconds),
                ratio=statistics.median(ratios),
                worst_ratio=min(ratios),
                frames=group[0].frames,
            )
        )
    return summaries


def as_markdown(summaries: Sequence[Summary]) -> str:
    """Return the table, one line a scene: ``median (worst)`` in seconds, and ``median (worst)`` times faster."""
    ways = list(dict.fromkeys(summary.way for summary in summaries if summary.way != STOCK))
    cells = {(summary.scene, summary.way): summary for summary in summaries}
    head = ["scene", "frames", "`manim`, s"]
    for way in ways:
        head += [f"{way}, s", f"{way}, times faster"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for scene in dict.fromkeys(summary.scene for summary in summaries):
        stock = cells[scene, STOCK]
        line = [scene, str(stock.frames), _pair(stock.median, stock.worst, 2)]
        for way in ways:
            found = cells[scene, way]
            line += [_pair(found.median, found.worst, 2), _pair(found.ratio, found.worst_ratio, 1)]
        lines.append(line)
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _pair(median: float, worst: float, digits: int) -> str:
    return f"{median:.{digits}f} ({worst:.{digits}f})"
