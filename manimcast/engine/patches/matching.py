"""Matching the style of one mobject to another's, which a ``Write`` does for each glyph in each frame."""

from __future__ import annotations

import functools
from operator import attrgetter
from typing import Any

import numpy as np
from manim.mobject.types import vectorized_mobject
from manim.mobject.types.vectorized_mobject import VMobject
from manim.utils.color.core import ManimColor

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.match_style",
        VMobject.match_style,
        "0942f747a12ae3efa14b9862fdbd387394a7171d6c3781236af6387c37f874b2",
        "It makes a dictionary of colours of one style, and takes it apart again to set the other.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.get_style",
        VMobject.get_style,
        "077727354e4d7adf03b29f8bb732b40849cc21ac96415f350456e5d30889fa9c",
        "Not called where both styles are of one colour each.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.set_style",
        VMobject.set_style,
        "8c5fd954a6683ff78c58156741a4cb56795dedd4a261bf42cd401a6b7d457b96",
        "Not called where both styles are of one colour each.",
    ),
)

_original_match = VMobject.match_style
_ARRAYS = ("fill_rgbas", "stroke_rgbas", "background_stroke_rgbas")
_METHODS = (
    *("get_style", "set_style", "set_fill", "set_stroke", "set_background_stroke", "set_sheen"),
    *("update_rgbas_array", "generate_rgbas_array", "color_using_background_image"),
    *("get_stroke_opacity", "get_stroke_width", "get_fill_colors", "get_fill_opacities", "get_stroke_colors"),
    *("get_stroke_opacities", "get_fill_rgbas", "get_stroke_rgbas", "get_sheen_factor", "get_sheen_direction"),
    *("get_background_image", "__getattribute__", "__getattr__"),
)
"""What is called, on the one or the other, by Manim's way."""
_NAMES = frozenset(_METHODS)
_methods = attrgetter(*_METHODS)
_color_methods = attrgetter("__init__", "to_rgba_with_alpha")
_NUMBERS = (float, int, np.float64)
_own: list[Any] = [_methods(VMobject), _color_methods(ManimColor)]


def install() -> None:
    """Put the patch in place, after those of the methods that it stands in for."""
    VMobject.match_style = _match_style  # type: ignore[assignment, method-assign]
    _own[:] = _methods(VMobject), _color_methods(ManimColor)


@functools.wraps(_original_match)
def _match_style(self: VMobject, vmobject: VMobject, family: bool = True) -> VMobject:
    if not _is_own(self) or not _is_own(vmobject) or not _match_one_colour(self, vmobject):
        return _original_match(self, vmobject, family)
    if family and self.submobjects:
        others = vmobject.submobjects or [vmobject]
        for mine, theirs in zip(*vars(vectorized_mobject)["make_even"](self.submobjects, others), strict=True):
            mine.match_style(theirs)
    return self


def _is_own(vmobject: VMobject) -> bool:
    """Whether nothing but Manim's methods would be called."""
    return (
        _methods(type(vmobject)) == _own[0]
        and _color_methods(ManimColor) == _own[1]
        and _NAMES.isdisjoint(vmobject.__dict__)
    )


def _match_one_colour(self: Any, vmobject: Any) -> bool:
    """Give ``self`` the style of ``vmobject``; returns False, having done nothing, unless both are of one colour."""
    if getattr(self, "sheen_factor", 1) != 0 or vmobject.sheen_factor or vmobject.background_image:
        return False
    width, width_behind = vmobject.stroke_width, vmobject.background_stroke_width
    if type(width) not in _NUMBERS or type(width_behind) not in _NUMBERS:
        return False
    arrays: list[tuple[Any, Any]] = [(getattr(self, name, None), getattr(vmobject, name, None)) for name in _ARRAYS]
    for mine, theirs in arrays:
        if type(mine) is not np.ndarray or mine.ndim != 2 or mine.shape[0] == 0 or mine.shape[1] != 4:
            return False
        if type(theirs) is not np.ndarray or theirs.shape != (1, 4) or theirs.dtype != np.float64:
            return False
    for mine, theirs in arrays:
        mine[:] = theirs
        if not any(theirs[0].tolist()):
            mine[:, :3] = 0.0  # what has no colour is black
    _, stroke, behind = (theirs for _, theirs in arrays)
    self.fill_opacity = arrays[0][1][:, 3]
    self.stroke_width = max(0.0, width)
    self.stroke_opacity = stroke[0, 3]
    self.background_stroke_width = max(0.0, width_behind)
    self.background_stroke_opacity = behind[0, 3]
    colour: Any = ManimColor(behind[0, :3]) if any(behind[0].tolist()) else None
    self.background_stroke_color = ManimColor.parse([colour])
    return True
