"""Scenes are stepped with the patches of stepping and without, and every mobject is the same at every frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from manim import Mobject, VMobject

from benchmarks.stepping import in_child
from manimcast.engine.patches import stepping
from tests.conformance.catalogue import SCENES, scenes_in
from tests.engine.stepping import frames

ALWAYS = {
    *("effects:WriteAndUnwrite", "lettering:Labels", "lettering:OtherScripts", "updating:Redrawn"),
    *("morphs:TransformFamily", "morphs:BecomeAndMatch", "shapes:Gradients", "structure:Subcaptions"),
}
RATE = 5
"""Frames a second: enough of each animation, since the same code makes all of them."""

OWN_WAYS = """
import numpy as np

SVG = '''<svg xmlns="http://www.w3.org/2000/svg"><defs><path id="a" d="M0 0L3 0 3 2Z"/></defs>
<g fill="#ff0000" stroke="#00ff00" stroke-width="2"><use href="#a" x="1" y="2"/>
<path id="b" transform="rotate(30)" d="M0 0q1 2 3 0t3 0a2 2 0 0 1 4 1z"/>
<rect x="1" y="1" width="2" height="1"/></g></svg>'''

class Counted(VMobject):
    def get_anchors(self):
        return [point + 1 for point in super().get_anchors()]

    def consider_points_equals(self, p0, p1):
        return bool(np.all(abs(p0 - p1) < 1))

    def update(self, dt=0, recursive=True):
        self.shift(0.01 * RIGHT)
        return super().update(dt, recursive)

    def generate_rgbas_array(self, color, opacity):
        return super().generate_rgbas_array(RED if color is not None else None, opacity)

class Flat(Circle):
    def _iter_family(self, active_path):
        yield self

    def get_merged_array(self, name):
        return getattr(self, name)

class OwnPaths(SVGMobject):
    def path_to_mobject(self, path):
        return super().path_to_mobject(path).set_color(BLUE)

class Slotted(Square):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        self.__dict__["last"] = name

class OwnWays(Scene):
    def construct(self):
        Path("own.svg").write_text(SVG)
        counted = Counted().set_points_as_corners([ORIGIN, UP, RIGHT, DOWN, LEFT, UP, ORIGIN])
        counted.scale(0.5).next_to(Square(), RIGHT)
        flat = Flat().add(Dot(UP))
        text = Text("own ways", gradient=(RED, BLUE), t2s={"own": ITALIC}, disable_ligatures=True)
        group = VGroup(counted, flat, Slotted(), text, SVGMobject("own.svg"), OwnPaths("own.svg"))
        twice = VGroup(group[1], VGroup(group[1], Star()))
        self.add(counted)
        self.play(Write(text), counted.animate.scale(2), run_time=1)
        self.play(group.animate.arrange(RIGHT), Create(twice), run_time=1)
        original = VMobject.update_rgbas_array
        VMobject.update_rgbas_array = lambda self, name, color=None, opacity=None: original(self, name, GREEN, opacity)
        Text.set_default(font_size=20)
        VMobject.consider_points_equals = lambda self, p0, p1: False
        self.play(FadeIn(Text("smaller")), Transform(counted, Circle()), run_time=1)
        Mobject.get_family = lambda self, recurse=True: [self, *self.submobjects]
        self.play(Rotate(group, PI / 3, axis=UP + RIGHT), run_time=1)
"""


def _cases() -> Iterator[object]:
    for path in sorted(SCENES.glob("*.py")):
        for scene in scenes_in(path.read_text(encoding="utf-8")):
            name = f"{path.stem}:{scene}"
            yield pytest.param(path, scene, id=name, marks=() if name in ALWAYS else pytest.mark.full)


@pytest.mark.parametrize(("path", "scene"), list(_cases()))
def test_every_mobject_is_the_same_at_every_frame(path: Path, scene: str) -> None:
    assert frames(path, scene, "patched", RATE) == frames(path, scene, "stock", RATE)


def test_a_scenes_own_ways_win(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("from manim import *\nfrom pathlib import Path\n" + OWN_WAYS, encoding="utf-8")
    assert frames(path, "OwnWays", "patched", RATE) == frames(path, "OwnWays", "stock", RATE)


def test_different_scenes_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    body = "class {}(Scene):\n    def construct(self):\n        self.play(Circle().animate.shift({}))\n"
    path.write_text("from manim import *\n" + body.format("A", "UP") + body.format("B", "UP * 1.0000000000000002"))
    assert frames(path, "A", "stock", RATE) != frames(path, "B", "stock", RATE)


@pytest.mark.parametrize(("setting", "is_stock"), [("stock", True), ("", False)])
def test_the_switch_leaves_manim_as_it_is(setting: str, *, is_stock: bool) -> None:
    def installed() -> bool:
        os.environ[stepping.SWITCH] = setting
        before = Mobject.__deepcopy__, VMobject.update_rgbas_array
        stepping.install()
        return before == (Mobject.__deepcopy__, VMobject.update_rgbas_array)

    assert in_child(installed) is is_stock
