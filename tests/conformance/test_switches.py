"""Frames are the same with each part of the engine switched off, and with all of them off.

``full`` draws every case with every set of switches; the tests without a mark draw a few of each, chosen by the date.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from manimcast.engine.parallel.switches import Switches
from manimcast.wire import Limits
from tests.conformance.catalogue import LOW, OPENGL, Case, cases
from tests.conformance.harness import Reference, Side, explain, first_difference, frames
from tests.conformance.switches import MATRIX, SWITCHES, _nothing, share
from tests.conformance.test_conformance import DAY

PER_DAY = 2


@pytest.fixture(scope="module")
def without(request: pytest.FixtureRequest) -> Iterator[Side]:
    side = Side("engine", off=request.param)
    yield side
    side.stop()


def _pairs() -> list[Any]:
    chosen = [case for case in cases() if case.view is not OPENGL]
    pairs = []
    for off in MATRIX:
        today = share(off, [case.name for case in chosen if case.view is LOW], PER_DAY, DAY)
        pairs += [
            pytest.param(
                off,
                case,
                id=f"{case.name}-without-{'+'.join(off)}",
                marks=() if case.name in today else pytest.mark.full,
            )
            for case in chosen
        ]
    return pairs


@pytest.mark.parametrize(("without", "case"), _pairs(), indirect=["without"])
def test_frames_are_the_same_without_it(without: Side, case: Case, stock: Side) -> None:
    expected = Reference(stock).of(case)
    assert "error" not in expected, f"stock Manim cannot draw the scene: {expected['error']}"
    actual = without.render(case)
    assert "error" not in actual, f"the engine cannot draw the scene: {actual['error']}"
    wanted, drawn = frames(expected), frames(actual)
    wanted = wanted or [expected["still"]] * len(drawn)  # a scene that plays nothing is a picture to stock Manim
    difference = first_difference(wanted, drawn)
    assert difference is None, explain(case, difference, stock, without)


def test_every_switch_is_a_field_that_the_engine_knows() -> None:
    names = [switch.name for switch in SWITCHES]
    assert len(names) == len(set(names)) > 0
    for switch in SWITCHES:
        assert set(switch.limits) <= set(Limits.model_fields)
        assert set(switch.may) <= {field.name for field in dataclasses.fields(Switches)}
        assert switch.environment or switch.limits or switch.may or switch.before_warming is not _nothing
    assert MATRIX[-1] == tuple(names)
