"""The circuit breaker, with a clock that tests turn on."""

from __future__ import annotations

import pytest

from manimcast.executors.modal.breaker import LONGEST_PAUSE, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, pause=10, clock=clock)


def test_closed_at_first(breaker: Breaker) -> None:
    assert breaker.lets_through
    assert breaker.probe_due_in() == 0
    assert breaker.told() == {"state": "closed", "failures": 0, "next_probe_in": None, "last_error": None}


def test_opens_after_failures_in_a_row(breaker: Breaker, clock: Clock) -> None:
    for number in (1, 2):
        breaker.failed(f"reason {number}")
        assert breaker.lets_through
    assert breaker.told() == {"state": "closed", "failures": 2, "next_probe_in": None, "last_error": "reason 2"}
    breaker.failed("reason 3")
    assert not breaker.lets_through
    assert breaker.told() == {"state": "open", "failures": 3, "next_probe_in": 10, "last_error": "reason 3"}
    clock.now += 4
    assert breaker.probe_due_in() == 6
    clock.now += 7
    assert breaker.probe_due_in() == 0
    assert not breaker.lets_through  # until a probe has found out


def test_a_success_between_failures_counts(breaker: Breaker) -> None:
    for _ in range(5):
        breaker.failed("lost")
        breaker.failed("lost")
        breaker.succeeded()
    assert breaker.lets_through
    assert breaker.last_error is None


def test_opens_at_once(breaker: Breaker) -> None:
    breaker.failed("no token", at_once=True)
    assert breaker.state == "open"
    assert breaker.failures == 1
    assert breaker.probe_due_in() == 10


def test_a_probe_that_succeeds(breaker: Breaker, clock: Clock) -> None:
    breaker.failed("lost", at_once=True)
    clock.now += 10
    breaker.probe()
    assert breaker.state == "probing"
    assert not breaker.lets_through  # renders do not wait for what a probe finds out
    assert breaker.told()["next_probe_in"] is None
    breaker.succeeded()
    assert breaker.lets_through
    assert breaker.failures == 0


def test_the_pause_doubles_up_to_ten_minutes(breaker: Breaker, clock: Clock) -> None:
    breaker.failed("lost", at_once=True)
    pauses = []
    for _ in range(9):
        pauses.append(breaker.probe_due_in())
        clock.now += breaker.probe_due_in()
        breaker.probe()
        breaker.failed("still lost", at_once=True)
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert LONGEST_PAUSE == 600


def test_a_success_makes_the_pause_short_again(breaker: Breaker, clock: Clock) -> None:
    breaker.failed("lost", at_once=True)
    for _ in range(3):
        breaker.probe()
        breaker.failed("lost", at_once=True)
    assert breaker.probe_due_in() == 80
    breaker.probe()
    breaker.succeeded()
    breaker.failed("lost", at_once=True)
    assert breaker.probe_due_in() == 10


def test_failures_of_renders_that_were_under_way(breaker: Breaker, clock: Clock) -> None:
    """They neither put the next probe off nor make the pause longer."""
    breaker.failed("lost", at_once=True)
    clock.now += 8
    breaker.failed("lost too")
    breaker.failed("lost as well", at_once=True)
    assert breaker.probe_due_in() == 2
    assert breaker.failures == 3
    assert breaker.last_error == "lost as well"
    breaker.probe()
    breaker.failed("lost", at_once=True)
    assert breaker.probe_due_in() == 20


def test_a_render_that_was_under_way_succeeds_after_all(breaker: Breaker) -> None:
    breaker.failed("lost", at_once=True)
    breaker.succeeded()
    assert breaker.lets_through
    assert breaker.probe_due_in() == 0
