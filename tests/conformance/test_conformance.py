"""Every frame that the engine hands to its encoder is byte for byte the one that stock Manim hands to its own.

The tests without a mark draw a sample that changes with the date; ``full`` draws all. ``CONFORMANCE_DATE`` repeats
the sample of another day.
"""

from __future__ import annotations

import datetime
import os
from fractions import Fraction
from typing import Any

import pytest

from tests.conformance.catalogue import Case, cases, sample
from tests.conformance.harness import Reference, Side, explain, first_difference, frames

SAMPLE_SIZE = 20
DAY = datetime.date.fromisoformat(
    os.environ.get("CONFORMANCE_DATE") or datetime.datetime.now(datetime.UTC).date().isoformat()
)
SAMPLE = sample(SAMPLE_SIZE, DAY)


def _marked() -> list[Any]:
    return [pytest.param(case, id=case.name, marks=() if case.name in SAMPLE else pytest.mark.full) for case in cases()]


@pytest.mark.parametrize("case", _marked())
def test_frames_are_those_of_stock_manim(case: Case, stock: Side, engine: Side) -> None:
    expected = Reference(stock).of(case)
    assert "error" not in expected, f"stock Manim cannot draw the scene: {expected['error']}"
    actual = engine.render(case)
    assert "error" not in actual, f"the engine cannot draw the scene: {actual['error']}"

    wanted, drawn = frames(expected), frames(actual)
    if not wanted:
        # Stock Manim saves a picture of a scene that plays nothing; the service shows it as a short video.
        assert expected["still"] is not None
        wanted = [expected["still"]] * len(drawn)
    difference = first_difference(wanted, drawn)
    assert difference is None, f"{explain(case, difference, stock, engine)}; {len(wanted)} and {len(drawn)} frames"

    _file_holds_the_frames(actual, len(drawn))
    if expected["file"] is not None:
        for key in ("frames", "rate", "width", "height", "audio"):
            assert actual["file"][key] == expected["file"][key], key
        # Manim adds up the lengths of its segments in whole ticks of the file's clock; ours are a few, or none, apart.
        assert actual["file"]["end"] == pytest.approx(expected["file"]["end"], abs=0.002)
    for content, _, _ in expected["subcaptions"]:
        assert content in actual["subtitles"]


def _file_holds_the_frames(record: dict[str, Any], count: int) -> None:
    file, report = record["file"], record["report"]
    assert count > 0
    assert file["frames"] == count == report["frames"]
    assert (file["width"], file["height"]) == (report["width"], report["height"])
    assert float(Fraction(file["rate"])) == pytest.approx(report["frame_rate"], rel=1e-4)
    assert file["end"] == pytest.approx(report["duration"], abs=0.5 / report["frame_rate"])
