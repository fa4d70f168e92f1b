"""A dry run tells exactly what a render of the same scene comes to: frames, duration, plays, sections, subcaptions.

Pictures are small, since nothing of this depends on their size.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.catalogue import LOW, Case, cases, sample
from tests.conformance.harness import Side
from tests.conformance.test_conformance import DAY

SAMPLE = sample(40, DAY)
WARNED = {
    "pacing:ShortAndOdd": {"short_play"},
    "structure:NoAnimation": {"manim"},
    "structure:Nothing": {"manim"},
    "structure:ReadsTheFrame": {"reads_pixels"},
    "structure:ReadsTheFrameInUpdater": {"reads_pixels"},
}
"""Scenes that a warning is right for, and its code; any other warning is a false alarm."""


@pytest.fixture(scope="module")
def dry() -> Iterator[Side]:
    side = Side("dry")
    yield side
    side.stop()


def small(case: Case) -> Case:
    """The same case with a tenth of the pixels, at the same rate; a composed one that looks at pixels as it is."""
    if _looks_at_pixels(case):
        return case
    width, height = (max(64, length // 8 * 2) for length in (case.view.width, case.view.height))
    options = {"resolution": {"width": width, "height": height}, "frame_rate": case.view.rate}
    return dataclasses.replace(case, view=dataclasses.replace(case.view, options=options))


def _looks_at_pixels(case: Case) -> bool:
    return case.view.name == "fuzzed" and "get_frame" in case.code


def _marked() -> list[Any]:
    return [pytest.param(case, id=case.name, marks=() if case.name in SAMPLE else pytest.mark.full) for case in cases()]


@pytest.mark.parametrize("case", _marked())
def test_a_dry_run_agrees_with_a_render(case: Case, engine: Side, dry: Side) -> None:
    told = dry.render(small(case))
    assert "error" not in told, told["error"]
    if told["reads_pixels"]:
        told = dry.render(small(case), draws=True)
    drawn = engine.render(small(case), drawers=1)  # one play after the other, so that each can be counted
    assert "error" not in drawn, drawn["error"]
    measured, report = told["measured"], drawn["report"]
    assert measured["error"] is None

    for key in ("frames", "duration", "animations"):
        assert measured[key] == report[key], key
    assert told["sections"] == report["sections"]
    ends = [play["end"] for play in drawn["plays"]]
    starts = [0, *ends[:-1]]
    assert [play["start"] for play in told["plays"]] == [first / report["frame_rate"] for first in starts]
    assert [play["frames"] for play in told["plays"]] == [end - first for first, end in zip(starts, ends, strict=True)]
    for key in ("index", "kind", "run_time"):
        assert [play[key] for play in told["plays"]] == [play[key] for play in drawn["plays"]], key
    assert [_clock(one) for one in told["subcaptions"]] == _cues(drawn["subtitles"])
    expected = {"reads_pixels"} if _looks_at_pixels(case) else WARNED.get(f"{case.file}:{case.scene}", set())
    assert {warning["code"] for warning in told["warnings"]} == expected


def _clock(subcaption: dict[str, Any]) -> tuple[str, float, float]:
    # A file of subtitles has whole milliseconds, cut off.
    start, end = (round(subcaption[key] * 1e6) // 1000 / 1000 for key in ("start", "end"))
    return subcaption["text"], start, end


def _cues(web_vtt: str | None) -> list[tuple[str, float, float]]:
    """The cues of a WebVTT file, in order."""
    blocks = [block.splitlines() for block in (web_vtt or "").split("\n\n")[1:] if block.strip()]
    found = []
    for block in blocks:
        at = next(index for index, line in enumerate(block) if " --> " in line)
        start, end = (_seconds(text) for text in block[at].split(" --> "))
        found.append(("\n".join(block[at + 1 :]), start, end))
    return found


def _seconds(clock: str) -> float:
    hours, minutes, seconds = map(float, re.split(":", clock))
    return round(hours * 3600 + minutes * 60 + seconds, 3)


def test_a_scene_that_reads_its_frames_is_drawn(dry: Side) -> None:
    code = (
        "class Reader(Scene):\n    def construct(self):\n        self.play(Create(Circle()), run_time=0.4)\n"
        "        lit = int(self.renderer.get_frame().max())\n        self.wait(lit / 255)\n"
    )
    case = _Posted("reader", "Reader", LOW, text=code)
    assert dry.render(case)["reads_pixels"]
    told = dry.render(case, draws=True)
    assert told["measured"]["frames"] == 6 + 15
    assert [warning["code"] for warning in told["warnings"]] == ["reads_pixels"]


@dataclasses.dataclass(frozen=True, eq=False)
class _Posted(Case):
    text: str = ""

    @property
    def code(self) -> str:
        return self.text


def test_the_sample_is_varied() -> None:
    picked = [case for case in cases() if case.name in SAMPLE]
    assert len(picked) >= 40
    assert len({case.file for case in picked}) > len({case.file for case in cases()}) / 2
    assert not any(left.name == right.name for left, right in itertools.pairwise(picked))


def test_tex_that_nobody_can_typeset_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    head = "class Formula(Scene):\n    def construct(self):\n        self.wait(0.2)\n"
    code = f"{head}        self.add(MathTex(r'\\frac{{a}}{{b}}'))\n"
    side = Side("dry")
    try:
        told = side.render(_Posted("formula", "Formula", LOW, text=code))
    finally:
        side.stop()
    assert told["measured"]["error"]["line"] == 4
    assert told["measured"]["frames"] == 3
    latex, dvisvgm = told["warnings"]
    assert (latex["code"], latex["line"], latex["animation_index"]) == ("missing_latex", 4, 1)
    assert latex["message"].startswith("latex is not installed")
    assert "\\frac{a}{b}" in latex["message"]
    assert dvisvgm["message"].startswith("dvisvgm is not installed")
