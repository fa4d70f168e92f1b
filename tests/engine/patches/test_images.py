"""Images are shown as by Manim and Pillow, whatever of them is in sight, and the rows that they are on are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from manimcast.engine import native
from tests.engine.in_child import in_child
from tests.engine.patches.test_frame import _watch

pytestmark = pytest.mark.skipif(native.library is None, reason="the native part is not compiled")

COMPARE = """
import numpy as np
from PIL import Image
from manim import *
from manim.camera.camera import Camera
config.update({"pixel_width": 160, "pixel_height": 90})
original = Camera.display_image_mobject, Camera.overlay_PIL_image
from manimcast.engine.patches import every, images
every.install()
patched = Camera.display_image_mobject, Camera.overlay_PIL_image
assert patched != original
chance = np.random.default_rng(4)

def show(ways, picture, below):
    Camera.display_image_mobject, Camera.overlay_PIL_image = ways
    camera = Camera()
    pixels = below.copy()
    camera.display_image_mobject(picture, pixels)
    return pixels
"""


def test_whatever_is_in_sight_is_shown_as_by_pillow(tmp_path: Path) -> None:
    told = in_child(
        tmp_path,
        COMPARE
        + """
assert images.gives_the_same()
wrong, changed = [], 0
for number in range(400):
    height, width = chance.integers(1, 40, 2)
    pixels = chance.integers(0, 256, (height, width, [3, 4][number % 2]), np.uint8)
    picture = ImageMobject(pixels).set(height=float(chance.uniform(0.02, 30)))
    if number % 3:
        picture.rotate(float(chance.uniform(0, TAU)), axis=chance.normal(size=3) if number % 5 == 0 else OUT)
    picture.shift(chance.normal(size=3) * [4, 3, 0])
    if number % 4 == 0:
        picture.set_opacity(float(chance.uniform(0, 1)))
    if number % 7 == 0:
        picture.set_resampling_algorithm(RESAMPLING_ALGORITHMS[["nearest", "bilinear"][number % 2]])
    if number % 11 == 0:
        picture.points[3] += chance.normal(size=3)
    below = chance.integers(0, 256, (90, 160, 4), np.uint8)
    if number % 2:
        below[..., 3] = 255
    expected = show(original, picture, below)
    changed += not np.array_equal(expected, below)
    if not np.array_equal(show(patched, picture, below), expected):
        wrong.append(number)
answer([wrong, changed])
""",
    )
    wrong, changed = told
    assert wrong == []
    assert changed > 200


def test_what_pillow_refuses_is_refused(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        COMPARE
        + """
def said(ways, change, size):
    picture = ImageMobject(np.zeros((4, 4, 4), np.uint8)).set(height=size)
    change(picture)
    try:
        show(ways, picture, np.zeros((90, 160, 4), np.uint8))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None

changes = [
    lambda picture: setattr(picture, "resampling_algorithm", Image.Resampling.LANCZOS),
    lambda picture: setattr(picture, "pixel_array", np.zeros((2, 2, 2, 4, 4), np.uint8)),
    lambda picture: setattr(picture, "pixel_array", np.zeros((0, 4, 4), np.uint8)),
]
answer([[said(ways, change, size) for ways in (original, patched)] for change in changes for size in (3, 0.01)])
""",
    )
    assert [original for original, _ in found] == [patched for _, patched in found]
    assert sum(original is not None for original, _ in found) >= 3


def test_without_the_native_code_pillow_transforms(tmp_path: Path) -> None:
    same = in_child(
        tmp_path,
        COMPARE
        + """
images.gives_the_same = lambda: False
picture = ImageMobject(chance.integers(0, 256, (20, 30, 3), np.uint8)).set(height=9).rotate(0.3).shift(2 * RIGHT)
below = chance.integers(0, 256, (90, 160, 4), np.uint8)
answer(bool(np.array_equal(show(original, picture, below), show(patched, picture, below))))
""",
    )
    assert same


PICTURES = """
class Pictures(MovingCameraScene):
    def construct(self):
        y, x = np.mgrid[0:40, 0:60]
        pixels = np.dstack([x * 4, y * 6, x + y]).astype(np.uint8)
        picture = ImageMobject(pixels).set(height=2).shift(2 * UP)
        dot = Dot(2 * DOWN)
        self.add(picture, dot)
        self.play(picture.animate.shift(RIGHT), run_time=0.5)
        self.play(FadeOut(picture), dot.animate.shift(LEFT), run_time=0.5)
        self.play(FadeIn(picture), run_time=0.5)
        self.play(self.camera.frame.animate.scale(0.3).move_to(picture), run_time=0.5)
"""


def test_the_rows_of_images_are_told(tmp_path: Path) -> None:
    found: dict[str, Any] = _watch(tmp_path, PICTURES, "Pictures")
    assert found["wrong"] == []
    parts = [rows for rows in found["told"] if rows is not None and rows[1] - rows[0] < 60]
    assert len(parts) >= 4


def test_a_camera_of_the_scenes_own_is_asked_for_its_way(tmp_path: Path) -> None:
    found = _watch(
        tmp_path,
        """
shown = []

class Mine(Camera):
    def overlay_PIL_image(self, pixel_array, image):
        shown.append(type(image).__module__)
        super().overlay_PIL_image(pixel_array, image)

class Own(Scene):
    def __init__(self, **kwargs):
        super().__init__(camera_class=Mine, **kwargs)

    def construct(self):
        picture = ImageMobject(np.uint8([[0, 100], [200, 255]])).set(height=3)
        self.play(picture.animate.shift(RIGHT), run_time=0.5)
        assert set(shown) == {"PIL.Image"}, shown
""",
        "Own",
    )
    assert found["wrong"] == []
