"""Styles: colours and opacities, which every new mobject sets five times and every frame of a Write once more."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from manim.mobject.types import vectorized_mobject
from manim.mobject.types.vectorized_mobject import VMobject
from manim.utils import bezier
from manim.utils.color.core import ManimColor

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.generate_rgbas_array",
        VMobject.generate_rgbas_array,
        "1d83acf3c389677a54c89f1bb4c58c900be027d74991f50d88b00e3ea4c343cd",
        "Upstream copies each colour and makes an array of each before it makes one of them all.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.update_rgbas_array",
        VMobject.update_rgbas_array,
        "7ae1e3f90549590310ed8767b889cc7d0272bb6d65dcf431261b830d19f8e008",
        "Where there is one colour, and no sheen, it is written where the old one is.",
    ),
    Patch(
        "manim.mobject.types.vectorized_mobject.VMobject.interpolate_color",
        VMobject.interpolate_color,
        "1f9f95a1383f72ba1576bb0177cb81b32b95dc115b337b36b152c3c521b2d72d",
        "The same sums without a call for each.",
    ),
    Patch(
        "manim.utils.color.core.ManimColor.__init__",
        ManimColor.__init__,
        "3eda25e075202fb58fb262f996b2c657bc1994b2535465de8c779111abaa4312",
        "Every look at a style makes colours of three floats; upstream looks at each float and resizes an array.",
    ),
    Patch(
        "manim.utils.bezier.interpolate",
        bezier.interpolate,
        "a2a2d9f04594078e03aff7098d9ba994e50a9cf5298e33ffb40f2c2c2c717f4b",
        "What interpolate_color calls for each attribute.",
    ),
    Patch(
        "manim.utils.color.core.ManimColor.to_rgba_with_alpha",
        ManimColor.to_rgba_with_alpha,
        "7ef8be75f0042ef9ad5167c1d6ae6c83f8db74d6f76fcc8aef171f0ed4f06561",
        "What the generated arrays are made of.",
    ),
)

_original_generate = VMobject.generate_rgbas_array
_original_update = VMobject.update_rgbas_array
_original_interpolate = VMobject.interpolate_color
_original_color_init = ManimColor.__init__
_stock_interpolate = bezier.interpolate
_stock_with_alpha = ManimColor.to_rgba_with_alpha
_VALUE = "_ManimColor__value"
_NUMBERS = (float, int, np.float64)
_BLACK = (0.0, 0.0, 0.0)
_INTERPOLATED = (
    *("fill_rgbas", "stroke_rgbas", "background_stroke_rgbas"),
    *("stroke_width", "background_stroke_width", "sheen_direction", "sheen_factor"),
)


def install() -> None:
    """Put the patches in place."""
    VMobject.generate_rgbas_array = _generate  # type: ignore[method-assign]
    VMobject.update_rgbas_array = _update  # type: ignore[assignment, method-assign]
    VMobject.interpolate_color = _interpolate  # type: ignore[assignment, method-assign]
    ManimColor.__init__ = _color_init  # type: ignore[method-assign]


def _rgb(color: Any) -> Any:
    """Return red, green and blue of an ordinary colour, and ``None`` for what only Manim reads right."""
    if type(color) is not ManimColor:
        return None
    value = color.__dict__.get(_VALUE)
    return None if value is None or value.dtype != np.float64 else value[:3]


def _is_one(color: Any, opacity: Any) -> bool:
    return (color is None or type(color) is ManimColor) and (opacity is None or type(opacity) in _NUMBERS)


def _is_list_of_one(color: Any, opacity: Any) -> bool:
    """Whether this is how ``get_style`` tells of one colour: a fill's opacity in an array, a stroke's by itself."""
    if type(color) is not list or len(color) != 1:
        return False
    return type(opacity) in _NUMBERS or (type(opacity) is np.ndarray and opacity.shape == (1,))


def _first(opacity: Any) -> Any:
    return opacity[0] if type(opacity) is np.ndarray else opacity


@functools.wraps(_original_generate)
def _generate(self: VMobject, color: Any, opacity: Any) -> Any:
    if _is_list_of_one(color, opacity):
        rgb, alpha = _rgb(color[0]), _first(opacity)
    elif _is_one(color, opacity):
        rgb, alpha = (_BLACK if color is None else _rgb(color)), (0.0 if opacity is None else opacity)
    else:
        return _original_generate(self, color, opacity)
    if rgb is None or ManimColor.to_rgba_with_alpha is not _stock_with_alpha or self.get_sheen_factor() != 0:
        return _original_generate(self, color, opacity)
    rgbas = np.empty((1, 4))
    rgbas[0, :3] = rgb
    rgbas[0, 3] = alpha
    return rgbas


@functools.wraps(_original_update)
def _update(self: VMobject, array_name: str, color: Any = None, opacity: Any = None) -> VMobject:
    current = self.__dict__.get(array_name)
    if _is_list_of_one(color, opacity):
        rgb, alpha = _rgb(color[0]), _first(opacity)
        known = rgb is not None
    else:
        rgb, alpha = _rgb(color), opacity
        known = _is_one(color, opacity) and (rgb is None) == (color is None)
    if (
        not known
        or type(current) is not np.ndarray
        or current.ndim != 2
        or len(current) == 0
        or type(self).generate_rgbas_array is not _generate
        or ManimColor.to_rgba_with_alpha is not _stock_with_alpha
        or self.get_sheen_factor() != 0
    ):
        return _original_update(self, array_name, color, opacity)
    if rgb is not None:
        current[:, :3] = rgb
    if alpha is not None:
        current[:, 3] = alpha
    return self


@functools.wraps(_original_color_init)
def _color_init(self: ManimColor, value: Any, alpha: float = 1.0) -> None:
    if type(self) is ManimColor:
        kind = type(value)
        if kind is ManimColor:
            self.__dict__[_VALUE] = value.__dict__[_VALUE]
            return
        if kind is np.ndarray and value.shape == (3,) and value.dtype == np.float64:
            made = np.empty(4)
            made[:3] = value
            made[3] = alpha
            self.__dict__[_VALUE] = made
            return
    _original_color_init(self, value, alpha)


@functools.wraps(_original_interpolate)
def _interpolate(self: VMobject, mobject1: VMobject, mobject2: VMobject, alpha: Any) -> VMobject:
    if vars(vectorized_mobject)["interpolate"] is not _stock_interpolate:
        return _original_interpolate(self, mobject1, mobject2, alpha)
    if alpha == 1.0:
        return _at_the_end(self, mobject1, mobject2, alpha)
    rest = 1 - alpha
    for name in _INTERPOLATED:
        setattr(self, name, rest * getattr(mobject1, name) + alpha * getattr(mobject2, name))
    return self


def _at_the_end(self: VMobject, mobject1: VMobject, mobject2: VMobject, alpha: Any) -> VMobject:
    """Take the style of ``mobject2``, as upstream does after it has computed sums that it then throws away."""
    if self is mobject2:
        return _original_interpolate(self, mobject1, mobject2, alpha)
    for name in _INTERPOLATED:
        start, end = getattr(mobject1, name), getattr(mobject2, name)
        if type(start) is np.ndarray and type(end) is np.ndarray and start.shape == end.shape:
            setattr(self, name, end.copy())
        elif type(start) in _NUMBERS and type(end) in _NUMBERS:
            setattr(self, name, end)
        else:
            return _original_interpolate(self, mobject1, mobject2, alpha)
    return self
