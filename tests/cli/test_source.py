from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from manimcast.cli.source import SourceError, read, scenes


def test_scenes_are_found_by_their_bases_in_order() -> None:
    code = """
import manim as m
class Second(m.MovingCameraScene): pass
class Helper: pass
class First(Scene): pass
class Derived(First): pass
class Mixed(Helper, ThreeDScene): pass
def make():
    class Hidden(Scene): pass
"""
    assert scenes(code) == ["Second", "First", "Derived", "Mixed"]


@pytest.mark.parametrize("code", ["class A(Scene:", "x = 1", "class A(make()): pass", "(" * 5000, "a = '\0'"])
def test_code_without_readable_scenes_has_none(code: str) -> None:
    assert scenes(code) == []


def test_a_coding_comment_and_a_byte_order_mark_are_honoured(tmp_path: Path) -> None:
    file = tmp_path / "scene.py"
    file.write_bytes("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    assert "é" in read(str(file))
    file.write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert read(str(file)) == "x = 1\n"


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"x = 1")))
    assert read("-") == "x = 1"


@pytest.mark.parametrize(("data", "message"), [(b"x = '\xff'", "not readable text"), (b" \n", "is empty")])
def test_what_is_no_source_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "scene.py"
    file.write_bytes(data)
    with pytest.raises(SourceError, match=message):
        read(str(file))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.py: No such file"):
        read(str(tmp_path / "nothing.py"))
