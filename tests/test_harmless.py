"""Nothing of a stranger's text moves a terminal's cursor, or turns the direction of reading."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manimcast.harmless import harmless
from manimcast.spec import ErrorCode, SceneError, Section


@given(st.text(st.characters(exclude_categories=())))
def test_no_control_character_is_left(text: str) -> None:
    left = {unicodedata.category(character) for character in harmless(text) if character not in "\t\n"}
    assert not left & {"Cc", "Cs"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x9b31mb", "a31mb"),
        ("two\r\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\u202egnp.exe", "gnp.exe"),
        ("½ é 你好 🎬 مرحبا", "½ é 你好 🎬 مرحبا"),
    ],
)
def test_what_is_left(given: str, shown: str) -> None:
    assert harmless(given) == shown


def test_what_a_scene_says_of_itself_is_made_harmless_when_it_is_read() -> None:
    error = SceneError.model_validate_json(
        '{"code": "exception", "message": "\\u001b[2Jgone", "exception": "E\\u0007", "traceback": "a\\u009bb"}'
    )
    assert (error.code, error.message, error.exception, error.traceback) == (ErrorCode.exception, "gone", "E", "ab")
    assert Section(name="\x1b[1mIntro", type="t\x00", start=0, duration=1).name == "Intro"
