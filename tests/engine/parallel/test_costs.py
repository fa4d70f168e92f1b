"""What is learned of drawing and encoding decides how many draw; where a part ends depends on neither."""

from __future__ import annotations

import pytest

from manimcast.engine.parallel.costs import CREW_GUESS, Costs

PIXELS = 1920 * 1080
FRAMES = 120


def learned(processors: int, *, draw: float, encode: float, step: float = 0.0, encoders: int = 1) -> Costs:
    """Return costs after many frames that took so many milliseconds each."""
    costs = Costs(PIXELS, processors, encoders)
    for _ in range(20):
        costs.took(FRAMES, 100, FRAMES * draw / 1000, FRAMES * encode / 1000)
        costs.stepped(FRAMES, FRAMES * step / 1000)
    return costs


@pytest.mark.parametrize(
    ("processors", "draw", "encode", "step", "stepped", "processes"),
    [
        (8, 40.0, 10.0, 0.0, False, int(CREW_GUESS * 5)),
        (2, 40.0, 10.0, 0.0, False, 2),
        (8, 40.0, 10.0, 2.0, True, 4),  # each of them steps all frames
        (8, 2.0, 1.0, 0.0, False, 1),  # too little for two
        (8, 0.0, 20.0, 0.0, False, int(CREW_GUESS)),
    ],
)
def test_as_many_draw_a_part_as_are_of_use(
    processors: int, draw: float, encode: float, step: float, stepped: bool, processes: int
) -> None:
    costs = learned(processors, draw=draw, encode=encode, step=step)
    assert costs.crew(FRAMES, 100, stepped=stepped) == min(processors, processes)


def test_where_drawing_is_most_of_the_work_encoding_alone_bounds_a_part() -> None:
    costs = Costs(PIXELS, 2)
    assert costs.parts(9000, 1, 1000) < costs.parts(9000, 1, 1)
    assert costs.parts(9000, 1, 1000) == costs.parts(9000, 100, 2000)


def test_parts_end_where_they_do_whatever_was_learned() -> None:
    slow, fast = learned(2, draw=90, encode=50), learned(8, draw=1, encode=1)
    for effort in (1, 100, 1000):
        assert slow.parts(9000, 50, effort) == fast.parts(9000, 50, effort)


@pytest.mark.parametrize(("draw", "encode", "worth"), [(2.0, 15.0, True), (40.0, 8.0, True), (5.0, 4.0, False)])
def test_another_process_is_worth_it_where_one_that_draws_and_one_thread_that_encodes_take_longer(
    draw: float, encode: float, worth: bool
) -> None:
    costs = learned(2, draw=draw, encode=encode)
    assert costs.is_worth_a_process(FRAMES, 100, stepped_twice=False) is worth


@pytest.mark.parametrize(("processors", "worth"), [(2, False), (8, True)])
def test_where_two_threads_encode_two_processors_are_busy_without_another_process(processors: int, worth: bool) -> None:
    costs = learned(processors, draw=2.0, encode=15.0, encoders=2)
    assert costs.is_worth_a_process(FRAMES, 100, stepped_twice=False) is worth
