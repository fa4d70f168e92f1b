"""Progress lines, whatever the render says or leaves out."""

from __future__ import annotations

from manimcast.api.progress import ProgressLines
from manimcast.wire import Finished, Message
from tests.renders.scripted import GREETING, a_report, at, playing

END = Finished(report=a_report())


def lines(*messages: Message) -> list[tuple[int, int]]:
    progress = ProgressLines()
    found = [line for message in messages for line in progress.after(message)]
    return [(line["animationIndex"], line["percentage"]) for line in found]


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


def test_an_attempt_that_starts_over_repeats_nothing():
    first = (*GREETING, at(100), playing(1), at(30, 1))
    assert lines(*first, *GREETING, at(50), playing(1), at(20, 1), at(45, 1)) == [*lines(*first), (1, 45)]


def test_a_scene_without_plays_has_no_lines():
    assert lines(*GREETING[:2], END) == []
