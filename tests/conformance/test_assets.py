"""Scenes with assets: their frames are those that stock Manim draws where the same files lie."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.assets.samples import SVG, archive, font, picture, sound
from tests.conformance.catalogue import FUZZED, Case
from tests.conformance.harness import Side, first_difference, frames

BESIDE = Path(__file__).parent / "beside"
FILES = {
    "logo.png": picture("PNG", (200, 60, 120)),
    "art/box.svg": SVG,
    "face.ttf": font(width=700),
    "data/points.csv": b"-2,1\n0,0.5\n1.5,-1\n",
    "tone.wav": sound("wav", "pcm_s16le", 0.3),
}


def encoded(files: dict[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(content).decode() for name, content in files.items()}


@pytest.mark.parametrize("packed", [False, True], ids=["one by one", "as an archive"])
@pytest.mark.parametrize("scene", ["Pictures", "Lettering", "Table"])
def test_frames_are_those_of_stock_manim(scene: str, packed: bool, stock: Side, engine: Side) -> None:
    case = Case("assets", scene, FUZZED, BESIDE)
    expected = stock.render(case, beside=encoded(FILES))
    assert "error" not in expected, f"stock Manim cannot draw the scene: {expected['error']}"
    actual = engine.render(case, beside=encoded({"project.zip": archive(FILES)} if packed else FILES))
    assert "error" not in actual, f"the engine cannot draw the scene: {actual['error']}"
    drawn, wanted = frames(actual), frames(expected)
    assert len(wanted) > 5
    assert first_difference(wanted, drawn) is None
