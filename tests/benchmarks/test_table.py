"""The numbers in the table are those of the runs."""

from __future__ import annotations

import pytest

from benchmarks.runs import Run
from benchmarks.table import as_markdown, summarize


def _run(scene: str, number: int, way: str, seconds: float) -> Run:
    return Run(scene, number, way, seconds, frames=15, load=0.0)


RUNS = [
    _run("circle", 0, "stock", 1.0),
    _run("circle", 0, "warm", 0.1),
    _run("circle", 1, "warm", 0.5),
    _run("circle", 1, "stock", 2.0),
    _run("circle", 2, "stock", 3.0),
    _run("circle", 2, "warm", 0.2),
]


def test_medians_and_worst_cases_are_over_rounds_and_ratios_over_pairs() -> None:
    stock, warm = summarize(RUNS)
    assert (stock.way, stock.median, stock.worst, stock.ratio) == ("stock", 2.0, 3.0, 1.0)
    assert (warm.way, warm.median, warm.worst) == ("warm", 0.2, 0.5)
    assert warm.ratio == pytest.approx(10)  # of 10, 4 and 15; the ratio of the medians would be the same by chance
    assert warm.worst_ratio == pytest.approx(4)


def test_a_ratio_is_taken_within_its_round() -> None:
    swapped = [*RUNS[:2], _run("circle", 1, "warm", 2.0), _run("circle", 1, "stock", 1.0)]
    assert summarize(swapped)[1].ratio == pytest.approx((10 + 0.5) / 2)


def test_a_run_without_its_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="no run of stock Manim beside circle, round 7"):
        summarize([*RUNS, _run("circle", 7, "warm", 1.0)])


def test_the_table_has_a_line_for_each_scene_and_columns_for_each_way() -> None:
    lines = as_markdown(summarize([*RUNS, _run("text", 0, "stock", 4.0), _run("text", 0, "warm", 2.0)])).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["scene", "frames", "`manim`, s", "warm, s", "warm, times faster"]
    assert cells[2] == ["circle", "15", "2.00 (3.00)", "0.20 (0.50)", "10.0 (4.0)"]
    assert cells[3] == ["text", "15", "4.00 (4.00)", "2.00 (2.00)", "2.0 (2.0)"]
    assert len({len(line) for line in lines}) == 1
