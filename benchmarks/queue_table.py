"""The figures of the queue as tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any


def in_ms(seconds: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the worst, in milliseconds."""
    ordered = sorted(seconds)
    picked = {
        "median": statistics.median(ordered),
        "p99": ordered[int(0.99 * (len(ordered) - 1))],
        "worst": ordered[-1],
    }
    return {name: round(1000 * value, 1) for name, value in picked.items()}


def as_markdown(result: dict[str, Any], databases: list[str]) -> str:
    """Return the figures as tables, one column for each database."""
    rows: dict[str, dict[str, str]] = {}
    for database in databases:
        for part, figures in result[database].items():
            for name, value in _flat(figures):
                rows.setdefault(f"{part}: {name}", {})[database] = value
    lines = [f"| | {' | '.join(databases)} |", f"| --- |{' --- |' * len(databases)}"]
    lines += [f"| {name} | {' | '.join(values.get(one, '') for one in databases)} |" for name, values in rows.items()]
    return "\n".join(lines) + "\n"


def _flat(figures: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        if isinstance(value, dict) and "median" in value:
            yield f"{prefix}{name} (median, 99 %, worst)", " / ".join(f"{one:g}" for one in value.values())
        elif isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}, ")
        else:
            yield f"{prefix}{name}", f"{value:g}"
