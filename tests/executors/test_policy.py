"""Which executor comes next, for everything that may have happened before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manimcast.executors.base import ExecutorError, ExecutorStatus
from manimcast.executors.policy import REASON_LENGTH, Candidate, Choice, Fault, GiveUp, Use, Wait, choose, failed

UP = ExecutorStatus(available=True)


def down(reason: str | None = "it is gone") -> ExecutorStatus:
    return ExecutorStatus(available=False, reason=reason)


def executors(modal: ExecutorStatus = UP, local: ExecutorStatus = UP) -> list[Candidate]:
    return [Candidate("modal", 3, modal), Candidate("local", 2, local)]


@pytest.mark.parametrize(
    ("asked", "faults", "candidates", "expected"),
    [
        ("auto", {}, executors(), Use("modal")),
        ("local", {}, executors(), Use("local")),
        ("modal", {}, executors(), Use("modal")),
        ("auto", {}, executors(modal=down()), Use("local")),
        ("modal", {}, executors(modal=down()), Wait("modal: it is gone")),
        ("auto", {}, executors(down(), down(None)), Wait("modal: it is gone; local: not available")),
        ("auto", {"modal": Fault(2, "broke")}, executors(), Use("modal")),
        ("auto", {"modal": Fault(3, "broke")}, executors(), Use("local")),
        ("auto", {"modal": Fault(1, "broke", final=True)}, executors(), Use("local")),
        ("auto", {"modal": Fault(1, "broke")}, executors(modal=down()), Use("local")),
        ("modal", {"modal": Fault(3, "broke")}, executors(), GiveUp("modal: failed 3 times, last: broke")),
        ("modal", {"modal": Fault(1, "no", final=True)}, executors(), GiveUp("modal: no")),
        ("modal", {"modal": Fault(1, "broke")}, executors(modal=down()), GiveUp("modal: broke, then: it is gone")),
        (
            "auto",
            {"modal": Fault(1, "broke", final=True)},
            executors(local=down("no manim")),
            GiveUp("modal: broke; local: no manim"),
        ),
        (
            "auto",
            {"modal": Fault(3, "broke"), "local": Fault(2, "no room")},
            executors(),
            GiveUp("modal: failed 3 times, last: broke; local: failed 2 times, last: no room"),
        ),
        ("local", {"modal": Fault(3, "broke")}, executors(local=down()), Wait("local: it is gone")),
        ("auto", {}, [], GiveUp("no executor is configured")),
        ("local", {}, executors()[:1], GiveUp("local: not set up")),
    ],
)
def test_what_becomes_of_a_render(
    asked: str, faults: dict[str, Fault], candidates: list[Candidate], expected: Choice
) -> None:
    assert choose(asked, faults, candidates) == expected


def test_whoever_asks_for_modal_where_it_is_off_reads_what_to_set() -> None:
    choice = choose("modal", {}, executors()[1:])
    assert isinstance(choice, GiveUp)
    assert "USE_MODAL=true" in choice.reason
    assert "MODAL_TOKEN_ID" in choice.reason


def test_failures_are_counted_for_each_executor() -> None:
    once = failed({}, "modal", ExecutorError("first"))
    twice = failed(once, "modal", ExecutorError("second"))
    both = failed(twice, "local", ExecutorError("x" * 10_000, again=False))
    assert once == {"modal": Fault(1, "first")}, "what it was given is not changed"
    assert both == {"modal": Fault(2, "second"), "local": Fault(1, "x" * REASON_LENGTH, final=True)}


statuses = st.builds(ExecutorStatus, available=st.booleans(), reason=st.none() | st.just("a reason"))
fleets = st.lists(
    st.builds(Candidate, st.sampled_from(["modal", "local", "ray"]), st.integers(1, 4), statuses),
    unique_by=lambda candidate: candidate.name,
)


@given(st.sampled_from(["auto", "modal", "local", "ray"]), fleets, st.lists(st.booleans(), max_size=20))
def test_every_render_comes_to_an_end(asked: str, fleet: list[Candidate], final: list[bool]) -> None:
    """However executors fail it, a render is tried a bounded number of times, only where it may be."""
    faults: dict[str, Fault] = {}
    for number in range(sum(candidate.tries for candidate in fleet) + 1):
        match choose(asked, faults, fleet):
            case Use(executor=name):
                assert asked in {"auto", name}
                assert next(one for one in fleet if one.name == name).status.available
                again = number >= len(final) or not final[number]
                faults = failed(faults, name, ExecutorError("no", again=again))
            case Wait():
                assert not faults
                assert not any(one.status.available for one in fleet if asked in {"auto", one.name})
                break
            case GiveUp(reason=reason):
                assert all(one.name in reason for one in fleet if asked in {"auto", one.name})
                break
    else:
        pytest.fail("it would be tried for ever")
