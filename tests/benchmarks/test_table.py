"""The numbers in the tables are those of the runs."""

from __future__ import annotations

import pytest

from benchmarks.reach import NOT_MEASURED, Row, rows
from benchmarks.reach import as_markdown as reach_as_markdown
from benchmarks.runs import Run
from benchmarks.table import as_markdown, summarize


def _run(scene: str, number: int, way: str, seconds: float, *, quality: str = "low", cpu: float = 1.0) -> Run:
    size = 1000 if way == "stock" else 1500
    return Run(scene, quality, number, way, seconds, cpu=cpu, frames=15, bytes=size, load=0.0)


RUNS = [
    _run("circle", 0, "stock", 1.0, cpu=2.0),
    _run("circle", 0, "warm", 0.1),
    _run("circle", 1, "warm", 0.5),
    _run("circle", 1, "stock", 2.0, cpu=4.0),
    _run("circle", 2, "stock", 3.0, cpu=5.0),
    _run("circle", 2, "warm", 0.2),
]


def test_medians_and_worst_cases_are_over_rounds_and_ratios_over_pairs() -> None:
    stock, warm = summarize(RUNS)
    assert (stock.way, stock.median, stock.worst, stock.ratio, stock.cpu_share) == ("stock", 2.0, 3.0, 1.0, 1.0)
    assert (warm.way, warm.median, warm.worst) == ("warm", 0.2, 0.5)
    assert warm.ratio == pytest.approx(10)  # of 10, 4 and 15; the ratio of the medians would be the same by chance
    assert warm.worst_ratio == pytest.approx(4)
    assert (warm.cpu_share, warm.worst_cpu_share) == (0.25, 0.5)
    assert warm.bytes_ratio == 1.5


def test_a_ratio_is_taken_within_its_round() -> None:
    swapped = [*RUNS[:2], _run("circle", 1, "warm", 2.0), _run("circle", 1, "stock", 1.0)]
    assert summarize(swapped)[1].ratio == pytest.approx((10 + 0.5) / 2)


def test_a_run_without_its_pair_at_its_quality_is_refused() -> None:
    with pytest.raises(ValueError, match="no run of stock Manim beside circle, low, round 7"):
        summarize([*RUNS, _run("circle", 7, "warm", 1.0)])
    with pytest.raises(ValueError, match="beside circle, high, round 0"):
        summarize([*RUNS, _run("circle", 0, "warm", 1.0, quality="high")])


def _cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_table_has_a_line_for_each_scene_and_columns_for_each_way() -> None:
    table = as_markdown(summarize([*RUNS, _run("text", 0, "stock", 4.0), _run("text", 0, "warm", 2.0)]))
    cells = _cells(table)
    assert cells[0] == ["scene", "frames", "`manim`, s", "CPU s", "warm, s", "times faster", "CPU s", "size"]
    assert cells[2] == ["circle", "15", "2.00 (3.00)", "4.00", "0.20 (0.50)", "10.0 (4.0)", "1.00", "1.50"]
    assert cells[3] == ["text", "15", "4.00 (4.00)", "1.00", "2.00 (2.00)", "2.0 (2.0)", "1.00", "1.50"]
    assert len({len(line) for line in table.splitlines()}) == 1


def _row(work: str, lines: list[Row]) -> Row:
    (found,) = [line for line in lines if line.work.startswith(work)]
    return found


def test_a_figure_is_reached_when_the_median_of_its_scenes_is_and_names_its_worst_case() -> None:
    runs = []
    for scene, seconds in (("explainer", 1.0), ("sorting", 2.0), ("plots", 5.0), ("circle", 9.0)):
        runs += [_run(scene, 0, "stock", 12.0, cpu=10.0), _run(scene, 0, "warm", seconds, cpu=seconds)]
    lines = rows(summarize(runs))
    typical = _row("typical 2D scenes, 480p15", lines)
    assert (typical.median, typical.worst, typical.reached) == ("6.0x", "2.4x plots", True)
    cpu = _row("CPU seconds per video, typical, 480p15", lines)
    assert (cpu.median, cpu.worst, cpu.reached) == ("0.20", "0.50 plots", True)
    assert _row("every scene, 480p15", lines).worst == "1.3x circle"


def test_a_figure_that_is_missed_or_was_not_measured_says_so() -> None:
    lines = rows(summarize([_run("text", 0, "stock", 12.0), _run("text", 0, "warm", 2.0)]))
    text = _row("text-heavy, 480p15", lines)
    assert (text.median, text.reached) == ("6.0x", False)
    waits = _row("wait-heavy", lines)
    assert (waits.median, waits.reached) == (NOT_MEASURED, None)
    cells = _cells(reach_as_markdown(lines))
    assert [cell[-1] for cell in cells if cell[0].startswith("text-heavy")] == ["no"]
    assert [cell[-1] for cell in cells if cell[0].startswith("wait-heavy")] == [""]
