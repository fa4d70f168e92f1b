"""From runs to a table: medians, worst cases, and how many times faster than stock Manim."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.runs import STOCK, Run


@dataclass(frozen=True)
class Summary:
    """One scene at one quality, one way. Times in seconds, sizes in bytes.

    ``ratio`` is the median over the rounds of stock Manim's time over this one, both of the same round;
    ``worst_ratio`` is the smallest of those. ``cpu_share`` is the median of this one's CPU time over stock Manim's, and
    ``worst_cpu_share`` the largest. For stock Manim itself all four are 1.
    """

    scene: str
    quality: str
    way: str
    median: float
    worst: float
    ratio: float
    worst_ratio: float
    cpu: float
    cpu_share: float
    worst_cpu_share: float
    frames: int
    bytes: int
    bytes_ratio: float


def summarize(runs: Sequence[Run]) -> list[Summary]:
    """Return a summary of each scene, quality and way, in the order in which they first appear.

    Raises :class:`ValueError` when a run has no run of stock Manim beside it.
    """
    stock = {(run.scene, run.quality, run.round): run for run in runs if run.way == STOCK}
    grouped: dict[tuple[str, str, str], list[tuple[Run, Run]]] = {}
    for run in runs:
        beside = stock.get((run.scene, run.quality, run.round))
        if beside is None:
            raise ValueError(f"no run of stock Manim beside {run.scene}, {run.quality}, round {run.round}")
        grouped.setdefault((run.scene, run.quality, run.way), []).append((run, beside))
    return [_summary(*what, pairs) for what, pairs in grouped.items()]


def _summary(scene: str, quality: str, way: str, pairs: Sequence[tuple[Run, Run]]) -> Summary:
    seconds = [run.seconds for run, _ in pairs]
    ratios = [beside.seconds / run.seconds for run, beside in pairs]
    shares = [run.cpu / beside.cpu for run, beside in pairs]
    return Summary(
        scene=scene,
        quality=quality,
        way=way,
        median=statistics.median(seconds),
        worst=max(seconds),
        ratio=statistics.median(ratios),
        worst_ratio=min(ratios),
        cpu=statistics.median(run.cpu for run, _ in pairs),
        cpu_share=statistics.median(shares),
        worst_cpu_share=max(shares),
        frames=pairs[0][0].frames,
        bytes=pairs[0][0].bytes,
        bytes_ratio=statistics.median(run.bytes / beside.bytes for run, beside in pairs),
    )


def as_markdown(summaries: Sequence[Summary]) -> str:
    """Return the table of one quality, one line a scene: ``median (worst)`` in seconds and times faster, CPU seconds,
    and size over that of stock Manim's file."""
    ways = list(dict.fromkeys(summary.way for summary in summaries if summary.way != STOCK))
    cells = {(summary.scene, summary.way): summary for summary in summaries}
    head = ["scene", "frames", "`manim`, s", "CPU s"]
    for way in ways:
        head += [f"{way}, s", "times faster", "CPU s", "size"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for scene in dict.fromkeys(summary.scene for summary in summaries):
        stock = cells[scene, STOCK]
        line = [scene, str(stock.frames), _pair(stock.median, stock.worst, 2), f"{stock.cpu:.2f}"]
        for way in ways:
            found = cells[scene, way]
            line += [_pair(found.median, found.worst, 2), _pair(found.ratio, found.worst_ratio, 1)]
            line += [f"{found.cpu:.2f}", f"{found.bytes_ratio:.2f}"]
        lines.append(line)
    return aligned(lines)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _pair(median: float, worst: float, digits: int) -> str:
    return f"{median:.{digits}f} ({worst:.{digits}f})"
