"""What more cores give follows from the segments, and from nothing else."""

from __future__ import annotations

import pytest

from benchmarks.parallel import Segment, Work, work_of
from benchmarks.runs import Run
from benchmarks.special import more_cores


def test_equal_segments_that_are_ready_at_once_use_all_cores() -> None:
    work = Work(tuple(Segment(0.0, 1.0) for _ in range(16)), stepping=0.0)
    assert work.on(8) == 2.0
    assert work.efficiency(8) == 1.0


def test_one_long_segment_bounds_the_time() -> None:
    work = Work((Segment(0.0, 8.0), Segment(0.0, 1.0), Segment(0.0, 1.0)), stepping=0.0)
    assert work.on(8) == 8.0
    assert work.efficiency(8) == pytest.approx(10 / 64)


def test_a_segment_starts_when_it_was_stepped_to_and_stepping_takes_a_core() -> None:
    work = Work((Segment(1.0, 1.0), Segment(2.0, 1.0)), stepping=2.0, joining=0.5)
    assert work.total == 4.5
    assert work.on(1) == 4.5
    assert work.on(2) == 3.5
    two_at_once = Work((Segment(0.0, 3.0), Segment(0.0, 3.0)), stepping=2.0)
    assert two_at_once.on(2) == 5.0  # the second one waits until the stepping process is free


def test_work_is_read_from_what_a_render_tells_and_missing_when_it_does_not() -> None:
    timings = {"step": 2.0, "join": 0.5, "segments": [{"ready": 0.5, "seconds": 6.0}, {"ready": 1, "seconds": 6.0}]}
    work = work_of(timings)
    assert work == Work((Segment(0.5, 6.0), Segment(1.0, 6.0)), stepping=2.0, joining=0.5)
    assert work_of({"draw": 1.0}) is None

    def run(timings: dict) -> Run:
        return Run("text", "high", 0, "warm", 1.0, 1.0, 15, 100, 0.0, timings)

    assert more_cores([run({"draw": 1.0})]).median.startswith("not available")
    assert more_cores([run({**timings, "segments": timings["segments"][:1]})]).median.startswith("not measured")
    row = more_cores([run(timings)])
    assert row.median == f"{work.efficiency(8):.2f}"
    assert row.reached is False
