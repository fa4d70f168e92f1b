"""The planes handed to the encoder are, value by value, those that stock Manim's own conversion makes of its frames.

Both sides encode losslessly here, so the finished files decode to exactly what their encoders were handed: in between
lie conversion, segments, holds and concatenation, all of which would show.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.catalogue import LOW, OPENGL, Case, cases
from tests.conformance.harness import Reference, Side, first_difference, frames, in_order
from tests.conformance.switches import share
from tests.conformance.test_conformance import DAY

PER_DAY = 3


def _chosen() -> list[Case]:
    """Return a scene of each file, and everything that is drawn at another size or rate."""
    first = {case.file: case for case in reversed(cases()) if case.view is LOW}
    return [*reversed(first.values()), *(case for case in cases() if case.view not in {LOW, OPENGL})]


def _marked() -> list[Any]:
    chosen = _chosen()
    today = share(("planes",), [case.name for case in chosen], PER_DAY, DAY)
    return [pytest.param(case, id=case.name, marks=() if case.name in today else pytest.mark.full) for case in chosen]


@pytest.mark.parametrize("case", _marked())
def test_planes_are_those_of_stock_manim(case: Case, stock: Side, engine: Side) -> None:
    expected = Reference(stock).of(case, lossless=True)
    assert "error" not in expected, f"stock Manim cannot draw the scene: {expected['error']}"
    actual = engine.render(case, lossless=True)
    assert "error" not in actual, f"the engine cannot draw the scene: {actual['error']}"

    drawn = in_order(actual["planes"])
    assert len(drawn) == len(frames(actual))
    if expected["planes"] is None:
        # Stock Manim makes a picture of this scene, and no planes; the service holds it for a second.
        assert len(set(drawn)) == 1
        return
    wanted = in_order(expected["planes"])
    difference = first_difference(wanted, drawn)
    assert difference is None, f"first difference in frame {difference} of {len(wanted)} and {len(drawn)}"
