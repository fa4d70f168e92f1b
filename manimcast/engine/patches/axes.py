"""How axes in space are shaded: all that belongs to one of them from edge to edge of that one.

``ThreeDAxes`` gives each piece, tick and tip a function of its own for that, which goes through the whole axis. A
camera calls it for each fill and each stroke: three axes have a hundred parts, and for each a hundred are gone through,
in every frame. Nothing moves while a frame is drawn, so it is enough to ask each axis once.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from manim.mobject.graphing.coordinate_systems import ThreeDAxes
from manim.mobject.mobject import Mobject
from manim.mobject.types.vectorized_mobject import VMobject

from manimcast.engine.patches import plain
from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.graphing.coordinate_systems.ThreeDAxes._set_axis_shading",
        ThreeDAxes._set_axis_shading,
        "730315b205c01f1d70313e596b7c42659e1702e1e530a398ceee1afe5387dd83",
        "Not replaced: the functions that it makes are known, and called once where they give the same.",
    ),
    Patch(
        "manim.mobject.mobject.Mobject.get_edge_center",
        Mobject.get_edge_center,
        "938b33aabcf40c33d9e69d93af69c515c4856875dd89c20f6df10b78fc94594c",
        "Relied on: it looks at nothing but the family's points.",
    ),
)

Ends = tuple[list[float], list[float]]
_ODD: Final = frozenset(plain.OVERRIDES)
_WANTED: Final = plain.CENTER | plain.FAMILY


def codes_of_shading() -> Iterator[types.CodeType]:
    """Yield the code of all functions that are made in ``_set_axis_shading``."""
    waiting = [ThreeDAxes._set_axis_shading.__code__]
    while waiting:
        found = [part for part in waiting.pop().co_consts if isinstance(part, types.CodeType)]
        waiting += found
        yield from found


_SHADES: Final = frozenset(code for code in codes_of_shading() if code.co_freevars == ("axis", "vect"))


class AxisEnds:
    """From where to where gradients go, as functions that Manim gave to parts of axes say. For one frame."""

    def __init__(self) -> None:
        self._ends: dict[tuple[int, int], Ends | None] = {}
        self._flags: dict[type[Any], int] = {}

    def forget(self) -> None:
        """Ask again from now on: code that is not known may have moved something."""
        self._ends.clear()

    def __call__(self, function: Any) -> Ends | None:
        """Return what ``function`` would; None if it is another one than Manim's, or nobody knows what it calls."""
        if type(function) is not types.FunctionType or function.__code__ not in _SHADES or not function.__closure__:
            return None
        axis, light = (cell.cell_contents for cell in function.__closure__)
        key = id(axis), id(light)
        if key not in self._ends:
            self._ends[key] = self._asked(function) if type(light) is np.ndarray and self._is_plain(axis) else None
        return self._ends[key]

    def _is_plain(self, axis: Any) -> bool:
        waiting, seen = [axis], 0
        while waiting:
            mobject = waiting.pop()
            seen += 1
            if not isinstance(mobject, VMobject) or seen > _MANY or not _ODD.isdisjoint(vars(mobject)):
                return False
            cls = type(mobject)
            if cls not in self._flags:
                self._flags[cls] = plain.judge(cls)
            if self._flags[cls] & _WANTED != _WANTED:
                return False
            waiting += mobject.submobjects
        return True

    @staticmethod
    def _asked(function: Any) -> Ends | None:
        start, end = function()
        if not all(type(point) is np.ndarray and point.dtype == np.float64 for point in (start, end)):
            return None
        return start.tolist(), end.tolist()


_MANY: Final = 100_000
"""More parts than an axis has, unless one is beneath itself."""
