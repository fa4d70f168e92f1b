"""What is read natively for a frame's digest is, byte for byte, what is read in Python."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manim import BLUE, RED, PMobject, Square, ThreeDAxes, ThreeDCamera, VGroup, VMobject
from manim.camera.camera import Camera

from manimcast.engine import drawn, native
from tests.engine.native.vmobjects import vmobjects

pytestmark = pytest.mark.skipif(native.library is None, reason="the native part is not compiled")

THOROUGH = settings(max_examples=120, deadline=None)


def _sight(camera: Camera) -> drawn.Sight:
    """One for these objects alone: whether anything else was changed in this process does not matter."""
    sight = object.__new__(drawn.Sight)
    sight._camera, sight._plain, sight._judged, sight._shaded, sight._fixed = camera, {}, {}, {}, b""
    return sight


def _in_python(camera: Camera, mobjects: list[Any]) -> tuple[bytes, bytes] | str | None:
    sight = _sight(camera)
    try:
        parts = [part for mobject in mobjects for part in sight._object(mobject)]
    except drawn.UnknownError:
        return None
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        return type(error).__name__
    return struct.pack(f"<{len(parts)}Q", *map(len, parts)), b"".join(parts)


def _natively(camera: Camera, mobjects: list[Any], asked: list[Any] | None = None) -> tuple[bytes, bytes] | str | None:
    sight = _sight(camera)

    def other(mobject: Any) -> list[bytes]:
        if asked is not None:
            asked.append(mobject)
        return sight._object(mobject)

    try:
        found: tuple[bytes, bytes] = native.library.sight(
            mobjects,
            drawn._judge,
            {},
            drawn._REPLACED,
            drawn._JOINTS,
            drawn._CAPS,
            drawn._nailed(camera),
            other,
        )
    except drawn.UnknownError:
        return None
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        return type(error).__name__
    return found


@THOROUGH
@given(st.lists(vmobjects(in_space=True), max_size=5), st.booleans())
def test_the_bytes_are_the_same(shapes: list[VMobject], in_space: bool) -> None:
    camera: Any = ThreeDCamera() if in_space else Camera()
    if in_space and len(shapes) > 2:
        camera.add_fixed_in_frame_mobjects(shapes[0])
        camera.add_fixed_orientation_mobjects(shapes[1])
        shapes[2].add(VMobject())
    with np.errstate(all="ignore"):
        assert _natively(camera, shapes) == _in_python(camera, shapes)


def test_what_is_plain_is_read_without_python() -> None:
    plain = Square(fill_opacity=0.5)
    striped: Any = Square()
    striped.set_stroke([RED, BLUE])
    cloud, axes = PMobject(), ThreeDAxes((-1, 1), (-1, 1), (-1, 1))
    replaced: Any = Square()
    replaced.get_stroke_width = replaced.get_stroke_width
    asked: list[Any] = []
    assert _natively(Camera(), [plain, *VGroup(Square(), Square())], asked)
    assert asked == []
    parts = [part for part in axes.get_family() if len(part.points)]
    others = [cloud, striped, *parts]
    assert _natively(Camera(), [plain, *others], asked) == _in_python(Camera(), [plain, *others])
    assert asked == others
    assert _natively(Camera(), [replaced]) is None


def test_there_may_be_nothing_to_see() -> None:
    assert _natively(Camera(), []) == (b"", b"")


def test_a_class_whose_attributes_run_code_is_asked_in_python() -> None:
    class Own(Square):
        @property
        def stroke_width(self) -> float:
            return 3.0

        @stroke_width.setter
        def stroke_width(self, value: float) -> None:
            pass

    asked: list[Any] = []
    own = Own()
    vars(own)["stroke_width"] = 9.0
    assert _natively(Camera(), [own], asked) == _in_python(Camera(), [own])
    assert asked == [own]


@pytest.mark.parametrize("arguments", [(), ([], drawn._judge, {}, (), (), (), (set(),), None), ((),) * 8])
def test_other_arguments_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="sight"):
        native.library.sight(*arguments)
