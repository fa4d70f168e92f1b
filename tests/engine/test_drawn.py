"""Digests of frames: the same for the same picture, another for all that can be seen, none for what is unknown."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child

SETUP = """
from manim import *
from manimcast.engine import drawn
from manimcast.engine.patches import every
every.install()
drawn.remember()
import numpy as np

def seen(mobjects, camera=None):
    sight = drawn.Sight(camera or Camera())
    return sight.frame(mobjects, sight.background()).hex()

def unknown(*args):
    try:
        seen(*args)
    except drawn.UnknownError:
        return True
    return False
"""


def test_everything_that_can_be_seen_changes_it(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        SETUP
        + """
def shape():
    return Square(fill_opacity=0.5, stroke_width=3)

changes = {
    "nothing": lambda s: s,
    "points": lambda s: s.shift(RIGHT * 1e-9),
    "fill": lambda s: s.set_fill(RED),
    "opacity": lambda s: s.set_fill(opacity=0.51),
    "stroke": lambda s: s.set_stroke(RED),
    "width": lambda s: s.set_stroke(width=3.01),
    "behind": lambda s: s.set_background_stroke(width=2),
    "gradient": lambda s: s.set_fill([RED, BLUE]),
    "sheen": lambda s: s.set_sheen(0.3, UP),
    "other sheen": lambda s: s.set_sheen(0.3, LEFT),
    "joint": lambda s: setattr(s, "joint_type", LineJointType.ROUND) or s,
    "cap": lambda s: s.set_cap_style(CapStyleType.ROUND),
    "tolerance": lambda s: setattr(s, "tolerance_for_point_equality", 0.1) or s,
    "more": lambda s: VGroup(s, Dot()),
    "less": lambda s: VGroup(),
    "order": lambda s: VGroup(Dot(), s),
    "depth": lambda s: VGroup(s.set_z_index(1), Dot()),
}
results = {name: seen([change(shape())]) for name, change in changes.items()}
results["depth"] = results["depth"] if results["depth"] == results["order"] else "sorted differently"
cameras = {
    "background": dict(background_color=BLUE),
    "opacity behind": dict(background_opacity=0.5),
    "size": dict(pixel_width=100, pixel_height=100),
    "frame": dict(frame_width=10),
    "center": dict(frame_center=UP),
    "lines": dict(cairo_line_width_multiple=0.02),
}
results |= {name: seen([shape()], Camera(**options)) for name, options in cameras.items()}
results["kind"] = seen([shape()], MovingCamera())
moved = MovingCamera()
moved.frame.shift(RIGHT)
results["moved"] = seen([shape()], moved)
for name, change in {
    "space": lambda c: None, "phi": lambda c: c.set_phi(1), "zoom": lambda c: c.set_zoom(2),
    "light": lambda c: c.light_source.shift(UP), "unshaded": lambda c: setattr(c, "should_apply_shading", False),
}.items():
    camera = ThreeDCamera()
    change(camera)
    results[name] = seen([shape()], camera)
nailed = ThreeDCamera()
fixed = shape()
nailed.add_fixed_in_frame_mobjects(fixed)
results["nailed"] = seen([fixed], nailed)
picture = np.zeros((4, 4, 3), dtype=np.uint8)
results["picture"] = seen([ImageMobject(picture)])
picture[0, 0, 0] = 1
results["other picture"] = seen([ImageMobject(picture)])
results["resampled"] = seen([ImageMobject(picture).set_resampling_algorithm(RESAMPLING_ALGORITHMS["nearest"])])
results["cloud"] = seen([PMobject().add_points([ORIGIN], color=RED)])
results["other cloud"] = seen([PMobject().add_points([ORIGIN], color=BLUE)])
answer({"results": results, "again": seen([shape()])})
""",
    )
    results = found["results"]
    assert results.pop("nothing") == found["again"]
    assert results.pop("depth") == results["order"]  # drawn in that order, whichever way it was asked for
    values = [*results.values(), found["again"]]
    assert len(set(values)) == len(values), results


def test_what_is_not_known_has_none(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        SETUP
        + """
class Own(Square):
    def get_fill_rgbas(self):
        return np.ones((1, 4))

class Plain(Square):
    def __init__(self):
        super().__init__()
        self.note = 1

class OwnCamera(Camera):
    pass

replaced = Square()
replaced.get_stroke_width = lambda background=False: 9
patched_camera = Camera()
patched_camera.display_vectorized = lambda vmobject, ctx: None
results = {
    "plain": unknown([Plain()]),
    "method": unknown([Own()]),
    "one object": unknown([replaced]),
    "camera": unknown([Square()], OwnCamera()),
    "zoomed": unknown([Square()], MultiCamera()),
    "one camera": unknown([Square()], patched_camera),
    "picture in it": unknown([Square().color_using_background_image("x.png")]),
}
original = VMobject.get_subpath_split_indices_from_points
VMobject.get_subpath_split_indices_from_points = lambda *a, **k: original(*a, **k)
results["patched"] = unknown([Square()])
VMobject.get_subpath_split_indices_from_points = original
results["put back"] = unknown([Square()])
answer(results)
""",
    )
    assert found.pop("plain") is False
    assert found.pop("put back") is False
    assert all(found.values()), found


def test_axes_in_space_are_shaded_by_a_way_of_manims_own(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        SETUP
        + """
def axes():
    return ThreeDAxes(x_range=(-1, 1), y_range=(-1, 1), z_range=(-1, 1))

def lit_otherwise():
    made = axes()
    made.light_source = -made.light_source
    made._set_axis_shading()
    return made

other = axes()
other[0].get_gradient_start_and_end_points = lambda: (LEFT, RIGHT)
results = [seen([made], ThreeDCamera()) for made in (axes(), axes(), axes().shift(1e-9 * UP), lit_otherwise())]
answer([results, unknown([other], ThreeDCamera())])
""",
    )
    one, again, *others = found[0]
    assert one == again
    assert len({one, *others}) == 3
    assert found[1]
