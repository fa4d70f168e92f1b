"""What more cores give follows from the segments, and from nothing else."""

from __future__ import annotations

import pytest

from benchmarks.cores import row
from benchmarks.parallel import Segment, Work, efficiency, work_of


def test_equal_segments_that_are_ready_at_once_use_all_cores() -> None:
    work = Work(tuple(Segment(0.0, 1.0) for _ in range(16)), scene=0.0)
    assert work.on(8) == 2.0
    assert efficiency(work, work) == 1.0


def test_one_long_segment_bounds_the_time() -> None:
    work = Work((Segment(0.0, 8.0), Segment(0.0, 1.0), Segment(0.0, 1.0)), scene=0.0)
    assert work.on(8) == 8.0
    assert efficiency(work, work) == pytest.approx(10 / 64)


def test_a_segment_starts_when_the_scene_has_come_to_it_and_the_scene_takes_a_core() -> None:
    work = Work((Segment(1.0, 1.0), Segment(2.0, 1.0)), scene=2.0, joining=0.5)
    assert work.total == 4.5
    assert work.on(1) == 4.5
    assert work.on(2) == 3.5
    two_at_once = Work((Segment(0.0, 3.0), Segment(0.0, 3.0)), scene=2.0)
    assert two_at_once.on(2) == 5.0  # the second one waits until the scene's core is free


def test_what_is_done_for_the_sake_of_sharing_is_of_no_use() -> None:
    alone = Work((), scene=16.0)
    shared = Work(tuple(Segment(0.0, 2.5) for _ in range(8)), scene=0.0)  # 20 s where 16 would do
    assert efficiency(alone, shared, 8) == pytest.approx(0.8)


def test_work_is_read_from_what_a_render_tells() -> None:
    told = {"step": 1.0, "draw": 2.0, "encode": 3.0}
    segments = [{"way": way, "ready": 0.5, **told} for way in ("alone", "behind", "apart", "over")]
    work = work_of({"scene": 7.0, "join": 0.5, "segments": segments})
    # What is done alone is in the scene's own time, as is what precedes an encoding behind.
    assert work == Work((Segment(0.5, 3.0), Segment(0.5, 6.0), Segment(0.5, 6.0)), scene=7.0, joining=0.5)
    assert work_of(None) is None


@pytest.mark.parametrize(("encode", "shares"), [(1.0, [2.0, 2.0, 2.0]), (3.0, [3.0, 1.5, 1.5])])
def test_those_who_draw_a_segment_together_share_all_but_encoding(encode: float, shares: list[float]) -> None:
    segment = {"way": "over", "ready": 0.5, "step": 0.0, "draw": 6.0 - encode, "encode": encode, "processes": 3}
    work = work_of({"scene": 0.0, "join": 0.0, "segments": [segment]})
    assert work is not None
    assert [part.seconds for part in work.segments] == shares
    assert {part.ready for part in work.segments} == {0.5}


def test_scenes_with_little_work_do_not_count() -> None:
    little, much = Work((), scene=9.0), Work((), scene=11.0)
    assert row({"small": (little, little)}).median.startswith("not measured")
    found = row({"small": (little, little), "large": (much, Work((), scene=1.5))})
    assert (found.median, found.reached) == (f"{11 / 12:.2f}", True)
