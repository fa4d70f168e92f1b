"""Finished files, made of what Manim wrote."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child


def test_srt_becomes_web_vtt(tmp_path: Path) -> None:
    srt = "1\n00:00:00,500 --> 01:00:01,250\nOne, 2,500 and 3\n"
    told = in_child(tmp_path, f"from manimcast.engine.assemble import to_web_vtt\nanswer(to_web_vtt({srt!r}))")
    assert told == "WEBVTT\n\n1\n00:00:00.500 --> 01:00:01.250\nOne, 2,500 and 3\n"
