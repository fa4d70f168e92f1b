"""What is said of code that asks for Manim's OpenGL renderer."""

from __future__ import annotations

import pytest

from manimcast.engine.pitfalls import FAILS, WRONG, opengl_pitfalls

HEAD = "class Demo(Scene):\n    def construct(self):\n"


@pytest.mark.parametrize("name", [*FAILS, *WRONG])
def test_each_name_is_found_with_its_line(name: str) -> None:
    code = f"{HEAD}        thing = 1\n        use({name})\n"
    (warning,) = opengl_pitfalls(code, "Demo")
    assert (warning.code.value, warning.line) == ("opengl", 4)
    attribute = f"{HEAD}        self.add(axes.{name}())\n"
    assert len(opengl_pitfalls(attribute, "Demo")) == 1


def test_harmless_code_is_not_warned_of() -> None:
    code = f'{HEAD}        self.play(Create(Circle()))\n        self.add(Text("ImageMobject"))  # StreamLines\n'
    assert opengl_pitfalls(code, "Demo") == []


def test_what_only_other_scenes_use_does_not_count() -> None:
    code = (
        "class Base(Scene):\n    def helper(self):\n        return ManimBanner()\n"
        "class Demo(Base):\n    def construct(self):\n        pass\n"
        "class Other(MovingCameraScene):\n    def construct(self):\n        self.add(ImageMobject(''))\n"
        "def anywhere(axes):\n    return axes.get_area(None)\n"
    )
    assert [warning.line for warning in opengl_pitfalls(code, "Demo")] == [3, 11]
    assert [warning.line for warning in opengl_pitfalls(code, "Other")] == [7, 9, 11]


def test_a_thing_that_is_used_often_is_told_once() -> None:
    code = f"{HEAD}        a = Sphere()\n        b = Cube()\n        c = Sphere()\n"
    assert [warning.line for warning in opengl_pitfalls(code, "Demo")] == [3]


@pytest.mark.parametrize("code", ["x = (", "x = 1\0", "(" * 5000 + ")" * 5000])
def test_code_that_does_not_parse_says_nothing(code: str) -> None:
    assert opengl_pitfalls(code, "Demo") == []
