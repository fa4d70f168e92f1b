from __future__ import annotations

import pytest

from manimcast.cli.outcome import printable
from manimcast.cli.problem import TITLES, scene_error_text
from manimcast.spec import ErrorCode, SceneError

EXCERPT = """\
  4 |     def construct(self):
> 5 |         self.play(Create(Circl()))
    |                          ^^^^^
  6 |         self.wait()"""

ERROR = SceneError(
    code=ErrorCode.exception,
    message="name 'Circl' is not defined",
    exception="NameError",
    line=5,
    column=26,
    end_line=5,
    excerpt=EXCERPT,
    animation_index=2,
    hint="Did you mean Circle?",
    traceback='Traceback (most recent call last):\n  File "scene.py", line 5, in construct\nNameError: ...',
    log="a line that the scene printed",
)


def test_everything_that_helps_is_shown_in_the_order_of_use() -> None:
    shown = scene_error_text(ERROR).plain
    parts = [
        "Error: the scene raised an exception (line 5, column 26, animation 2)",
        "NameError: name 'Circl' is not defined",
        EXCERPT,
        'File "scene.py", line 5',
        "a line that the scene printed",
        "Hint: Did you mean Circle?",
    ]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("code", ErrorCode)
def test_each_code_has_words_and_bare_errors_can_be_shown(code: ErrorCode) -> None:
    shown = scene_error_text(SceneError(code=code, message="why")).plain
    assert shown == f"Error: {TITLES[code]}\n\nwhy"


def test_text_of_a_scene_cannot_drive_the_terminal() -> None:
    error = SceneError(code=ErrorCode.exception, message="\x1b[2Jgone\r", hint="a\u202eb", excerpt="\x9b31m")
    shown = scene_error_text(error).plain
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert "\n\ngone\n" in shown
    assert "Hint: ab" in shown


def test_ordinary_text_stays_as_it_is() -> None:
    text = "naïve 数学\n\tλ → ∞ 👩‍🔬"
    assert printable(text) == text
