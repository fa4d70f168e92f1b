"""The encoder benchmark: a short recording through stock's settings and ours, and the table of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks import encoder
from benchmarks.encoder import Measured, by_scene, candidates, compared, good, table
from benchmarks.recording import Play, Recording, record
from manimcast.engine.configure import x264_defaults

SCENE = """
from manim import *


class Short(Scene):
    def construct(self):
        self.play(Create(Square()), run_time=0.4)
        self.wait(2)
"""


def test_a_scene_is_recorded_once_and_encoded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = tmp_path / "short.py"
    scene.write_text(SCENE, encoding="utf-8")
    recording = record(scene, "low", tmp_path / "kept")
    assert (recording.width, recording.height, recording.frame_rate, recording.frames) == (854, 480, 15, 36)
    assert [(play.repeats, play.paths, play.effort) for play in recording.plays] == [([1] * 6, 1, 1), ([30], 1, 0)]
    monkeypatch.setattr("benchmarks.recording.subprocess.run", None)
    assert record(scene, "low", tmp_path / "kept") == recording
    for options in (None, {"preset": "ultrafast", "crf": "20"}):
        measured = encoder._measure(recording, "it", options, tmp_path)
        assert measured.cpu > 0
        assert measured.size > 1000
        assert 40 < measured.psnr < 100


def test_long_plays_are_encoded_in_the_parts_in_which_they_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = Recording("a", "high", 1920, 1080, Fraction(60), [])
    assert encoder._parts(Play(Path(), [1] * 240, 400, 0), large) == [(0, 60), (60, 120), (120, 180), (180, 240)]
    assert encoder._parts(Play(Path(), [600], 400, 400), large) == [(0, 1)]
    scene = tmp_path / "short.py"
    scene.write_text(SCENE, encoding="utf-8")
    recording = record(scene, "low", tmp_path / "kept")
    whole = encoder._measure(recording, "it", {"preset": "ultrafast"}, tmp_path)
    monkeypatch.setattr(encoder, "_parts", lambda play, recording: [(n, n + 1) for n in range(len(play.repeats))])
    assert encoder._measure(recording, "it", {"preset": "ultrafast"}, tmp_path).size > whole.size


def test_candidates_are_named_by_their_options() -> None:
    assert candidates(["veryfast/20", "superfast/23/aq-mode=0/bframes=1"], Fraction(30)) == {
        "veryfast/20": {"preset": "veryfast", "crf": "20"},
        "superfast/23/aq-mode=0/bframes=1": {
            "preset": "superfast",
            "crf": "23",
            "x264-params": "aq-mode=0:bframes=1",
        },
    }
    for rate in (30, 60):
        assert candidates(["default"], Fraction(rate)) == {"default": x264_defaults(rate)}


def test_sizes_and_quality_are_beside_stocks_of_the_same_scene() -> None:
    runs = [
        Measured("a", "low", "stock", 8, 1000, 50),
        Measured("a", "low", "default", 2, 1500, 51),
        Measured("b", "low", "stock", 6, 100, 40),
        Measured("b", "low", "default", 4, 200, 39.5),
    ]
    beside = [(size, gain) for run, size, gain in compared(runs) if run.candidate == "default"]
    assert beside == [(1.5, 1), (2, -0.5)]
    assert [good(size, gain) for size, gain in beside] == [True, False]
    lines = table(runs).splitlines()
    assert lines[2] == "| stock | 7.00 | 8.00 | 1.00 | 1.00 | +0.00 | +0.00 |"
    assert lines[3] == "| default | 3.00 | 4.00 | 1.73 | 2.00 | +0.25 | -0.50 |"
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in by_scene(runs).splitlines()[2:]]
    assert rows == [
        ["a", "8.0", "2.0", "1", "2", "1.50", "50.0", "+1.00"],
        ["b", "6.0", "4.0", "0", "0", "2.00", "40.0", "-0.50"],
    ]
