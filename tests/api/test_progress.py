"""Progress lines, whatever the render says or leaves out."""

from __future__ import annotations

from datetime import UTC, datetime

from manimcast.api.progress import ProgressLines
from manimcast.renders import Event, EventType

NOW = datetime.now(UTC)
END = Event(9, EventType.succeeded, 1, NOW, {})


def began(executor: str, attempt: int) -> Event:
    return Event(1, EventType.running, attempt, NOW, {"executor": executor})


def at(percent: int, index: int = 0) -> Event:
    return Event(2, EventType.progress, 1, NOW, {"animation_index": index, "animation_percent": percent})


def drawn(index: int) -> Event:
    return Event(3, EventType.segment, 1, NOW, {"animation_index": index, "frames": 30})


def lines(*events: Event) -> list[tuple[int | str, int]]:
    """Return what each line says: an animation and its percentage, or an executor and its attempt."""
    progress = ProgressLines()
    found = [line for event in events for line in progress.after(event)]
    assert {tuple(line) for line in found} <= {("animationIndex", "percentage"), ("executor", "attempt")}
    return [tuple(line.values()) for line in found]  # type: ignore[misc]


def test_each_play_goes_from_0_to_100():
    assert lines(at(0), at(37), drawn(0), at(0, 1), at(100, 1), drawn(1), END) == [
        (0, 0),
        (0, 37),
        (0, 100),
        (1, 0),
        (1, 100),
    ]


def test_what_is_left_out_is_filled_in():
    assert lines(drawn(0), drawn(1), at(50, 2), END) == [
        *((0, 0), (0, 100), (1, 0), (1, 100)),
        *((2, 0), (2, 50), (2, 100)),
    ]
    assert lines(at(10, 2)) == [(0, 0), (0, 100), (1, 0), (1, 100), (2, 0), (2, 10)]


def test_nothing_is_said_twice_or_goes_back():
    assert lines(at(0), at(40), at(40), at(20), at(60)) == [(0, 0), (0, 40), (0, 60)]


def test_the_first_attempt_goes_without_saying():
    assert lines(began("modal", 1), at(0), at(40)) == [(0, 0), (0, 40)]


def test_a_further_attempt_names_its_executor_and_begins_again():
    first = (began("modal", 1), at(0), at(100), drawn(0), at(30, 1))
    second = (began("local", 2), at(0), at(50), drawn(0), at(20, 1), END)
    assert lines(*first, *second) == [
        *((0, 0), (0, 100), (1, 0), (1, 30)),
        ("local", 2),
        *((0, 0), (0, 50), (0, 100), (1, 0), (1, 20), (1, 100)),
    ]


def test_whoever_comes_during_a_further_attempt_is_told_of_it():
    assert lines(began("local", 3), at(10)) == [("local", 3), (0, 0), (0, 10)]


def test_an_attempt_that_is_lost_before_it_began_leaves_only_its_successors_line():
    assert lines(began("modal", 1), began("modal", 2), began("local", 3)) == [
        ("modal", 2),
        ("local", 3),
    ]


def test_a_scene_without_plays_has_no_lines():
    assert lines(END) == []
