"""Progress lines, whatever the render says or leaves out."""

from __future__ import annotations

from manimcast.api.progress import ProgressLines
from manimcast.renders import AttemptBegan
from manimcast.wire import Finished, Message
from tests.renders.scripted import GREETING, a_report, at, playing

END = Finished(report=a_report())


def lines(*messages: Message | AttemptBegan) -> list[tuple[int | str, int]]:
    """Return what each line says: an animation and its percentage, or an executor and its attempt."""
    progress = ProgressLines()
    found = [line for message in messages for line in progress.after(message)]
    assert {tuple(line) for line in found} <= {("animationIndex", "percentage"), ("executor", "attempt")}
    return [tuple(line.values()) for line in found]  # type: ignore[misc]


def test_each_play_goes_from_0_to_100():
    assert lines(*GREETING, at(37), at(100), playing(1), at(0, 1), at(100, 1), END) == [
        (0, 0),
        (0, 37),
        (0, 100),
        (1, 0),
        (1, 100),
    ]


def test_what_is_left_out_is_filled_in():
    assert lines(playing(0), playing(1), at(50, 1), END) == [(0, 0), (0, 100), (1, 0), (1, 50), (1, 100)]
    assert lines(at(10, 2)) == [(0, 0), (0, 100), (1, 0), (1, 100), (2, 0), (2, 10)]


def test_nothing_is_said_twice_or_goes_back():
    assert lines(playing(0), at(40), at(40), at(20), at(60)) == [(0, 0), (0, 40), (0, 60)]


def test_the_first_attempt_goes_without_saying():
    assert lines(AttemptBegan("modal", 1), *GREETING, at(40)) == [(0, 0), (0, 40)]


def test_a_further_attempt_names_its_executor_and_begins_again():
    first = (AttemptBegan("modal", 1), *GREETING, at(100), playing(1), at(30, 1))
    second = (AttemptBegan("local", 2), *GREETING, at(50), playing(1), at(20, 1), END)
    assert lines(*first, *second) == [
        *((0, 0), (0, 100), (1, 0), (1, 30)),
        ("local", 2),
        *((0, 0), (0, 50), (0, 100), (1, 0), (1, 20), (1, 100)),
    ]


def test_whoever_comes_during_a_further_attempt_is_told_of_it():
    assert lines(AttemptBegan("local", 3), playing(0), at(10)) == [("local", 3), (0, 0), (0, 10)]


def test_an_attempt_that_is_lost_before_it_began_leaves_only_its_successors_line():
    assert lines(AttemptBegan("modal", 1), AttemptBegan("modal", 2), AttemptBegan("local", 3)) == [
        ("modal", 2),
        ("local", 3),
    ]


def test_a_scene_without_plays_has_no_lines():
    assert lines(*GREETING[:2], END) == []
