"""Which renders are of much the same code."""

from __future__ import annotations

import pytest

from manimcast.executors.modal.alike import LINES, are_alike, sketch_of
from manimcast.spec import RenderSpec

SCENE = """
from manim import *
class Demo(Scene):
    def construct(self):
        title = Text("One")
        self.play(Write(title))
        self.play(title.animate.to_edge(UP))
        ring = Circle(color=BLUE)
        self.play(Create(ring))
        self.wait()
"""
OTHER = """
from manim import *
class Demo(Scene):
    def construct(self):
        axes = Axes()
        graph = axes.plot(lambda x: x ** 2)
        self.add(axes)
        self.play(FadeIn(graph), run_time=2)
        self.wait()
"""


def alike(one: str, other: str, **files: str) -> bool:
    return are_alike(sketch_of(RenderSpec(code=one)), sketch_of(RenderSpec(code=other, files=files)))


@pytest.mark.parametrize(
    "edited",
    [
        SCENE,
        SCENE.replace("BLUE", "RED"),
        SCENE.replace("self.wait()", "self.wait(2)").replace('"One"', '"Two"'),
        SCENE + "        self.play(FadeOut(ring))\n        self.play(FadeOut(title))\n",
        SCENE.replace("        title", "        if True:\n            title"),
        SCENE.replace("\n", "\n\n"),
    ],
)
def test_an_edit_is_alike(edited: str) -> None:
    assert alike(SCENE, edited)
    assert alike(edited, SCENE)


def test_another_scene_is_not_alike_although_they_begin_alike() -> None:
    assert not alike(SCENE, OTHER)


def test_files_count_as_code_does() -> None:
    helper = "\n".join(f"def helper_{number}(): return {number}" for number in range(40))
    assert not alike(f"{SCENE}\n{helper}", SCENE)
    assert are_alike(
        sketch_of(RenderSpec(code=SCENE, files={"helper.py": helper})), sketch_of(RenderSpec(code=f"{SCENE}\n{helper}"))
    )


def test_long_code_is_told_by_a_sample() -> None:
    def lines(first: int, last: int) -> str:
        return "\n".join(f"x = {number}" for number in range(first, last))

    sketch = sketch_of(RenderSpec(code=lines(0, 5000)))
    assert len(sketch) == LINES
    assert list(sketch) == sorted(set(sketch))
    assert alike(lines(0, 5000), lines(1000, 6000))  # two thirds
    assert not alike(lines(0, 5000), lines(4500, 9500))  # a twentieth
