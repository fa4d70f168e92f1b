"""Frames that are put back by rows are those that are copied whole, and the rows that changed are the ones told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from manimcast.engine import native
from tests.engine.in_child import in_child

pytestmark = pytest.mark.skipif(native.library is None, reason="the native part is not compiled")

WATCH = """
import numpy as np
from manimcast.engine.patches import every, frame as tracking
from manim.renderer.cairo_renderer import CairoRenderer

every.install()
told, wrong = [], []
picture = None

def add_frame(self, pixels, num_frames=1):
    global picture
    rows = tracking.drawn_rows(self.camera)
    told.append(rows)
    now = tracking.pixels(self.camera).copy()
    if not np.array_equal(now, pixels):
        wrong.append("the frame is not what was handed out")
    if picture is not None and rows is not None:
        outside = np.ones(len(now), dtype=bool)
        outside[rows[0]:rows[1]] = False
        if (now[outside] != picture[outside]).any():
            wrong.append(f"frame {len(told)} changed outside of {rows}")
    picture = now
    self.time += num_frames / self.camera.frame_rate

CairoRenderer.add_frame = add_frame
config.update({"dry_run": True, "disable_caching": True, "progress_bar": "none"})
config.update({"pixel_width": 160, "pixel_height": 90, "frame_rate": 10})
from manim import *
"""

MOVING = """
class Moving(Scene):
    def construct(self):
        still = Square(side_length=1, fill_opacity=1).to_edge(UP)
        dot = Dot(2 * DOWN, radius=0.3)
        self.add(still, dot)
        self.play(dot.animate.shift(RIGHT), run_time=1)
        self.play(dot.animate.shift(LEFT), run_time=1)
        dot.add_updater(lambda m, dt: m)
        self.wait(1)
"""


def _watch(folder: Path, scene: str, name: str) -> dict[str, Any]:
    code = f"{WATCH}\n{scene}\nscene = {name}()\nscene.render()\n"
    code += "answer({'told': told, 'wrong': wrong})\n"
    found: dict[str, Any] = in_child(folder, code)
    return found


def test_only_rows_that_changed_are_told(tmp_path: Path) -> None:
    found = _watch(tmp_path, MOVING, "Moving")
    assert found["wrong"] == []
    told = found["told"]
    assert len(told) == 30
    # The first picture is new as a whole, and with each play what stands still is drawn again. Else only the dot moves.
    assert told[0] == [0, 90]
    assert [number for number, (first, end) in enumerate(told) if not 45 < first < end < 90] == [0, 10, 20]


IN_HANDS = """
class InHands(Scene):
    def construct(self):
        dot = Dot()
        mine = self.camera.{attribute}
        dot.add_updater(lambda m, dt: mine.__setitem__((slice(0, 3), slice(None), 0), int(self.time * 20)))
        self.add(dot)
        self.wait(1)
"""


@pytest.mark.parametrize("attribute", ["pixel_array", "background"])
def test_who_has_an_array_in_hands_may_write_to_it(tmp_path: Path, attribute: str) -> None:
    found = _watch(tmp_path, IN_HANDS.format(attribute=attribute), "InHands")
    assert found["wrong"] == []
    assert found["told"][2:] == [None] * 8


PICTURES = """
class Pictures(Scene):
    def construct(self):
        image = ImageMobject(np.uint8([[0, 100, 30, 200], [255, 0, 5, 33]])).scale(5)
        dot = Dot(UP)
        self.add(image, dot)
        self.play(image.animate.shift(DOWN), dot.animate.shift(LEFT), run_time=1)
        cloud = PMobject().add_points([[x / 10, 0, 0] for x in range(20)])
        self.play(FadeOut(image), cloud.animate.shift(UP), run_time=1)
"""


def test_what_manim_draws_itself_counts_as_everywhere(tmp_path: Path) -> None:
    found = _watch(tmp_path, PICTURES, "Pictures")
    assert found["wrong"] == []
    assert found["told"][15] in ([0, 90], None)
