"""Moulds: mobjects whose like is made again and again, and that differ in little.

Manim makes a mobject in some hundred calls, most of which only find out what the last one of its kind looks like as
well. A mould is made from one that Manim itself made, and gives fresh ones: equal, and with no array in common.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from manim.mobject.mobject import Mobject
from manim.utils.color.core import ManimColor

_IMMUTABLE = (type(None), int, float, bool, str)


class Mould:
    """Makes mobjects that equal ``mobject``, which has no submobjects.

    Raises
    ------
    TypeError
        If it has something of which it is unknown how another one gets its own.
    """

    def __init__(self, mobject: Mobject, immutable: tuple[type, ...] = ()) -> None:
        self._class = type(mobject)
        self._attributes = dict(mobject.__dict__)
        self._arrays: list[str] = []
        self._colors: list[str] = []
        self._lists: list[str] = []
        for name, value in self._attributes.items():
            kind = type(value)
            if kind is np.ndarray and not value.dtype.hasobject:
                self._arrays.append(name)
                self._attributes[name] = value.copy()
            elif kind is ManimColor:
                self._colors.append(name)
            elif kind is list and not value:
                self._lists.append(name)
            elif kind not in _IMMUTABLE and kind not in immutable:
                raise TypeError(f"{name} is a {kind.__name__}")

    def fill(self, mobject: Mobject) -> None:
        """Give ``mobject``, which was only just allocated, the attributes of one that is finished."""
        attributes = self._attributes
        made: dict[str, Any] = attributes.copy()
        for name in self._arrays:
            made[name] = attributes[name].copy()
        for name in self._colors:
            made[name] = ManimColor(attributes[name])  # shares the value, as Manim's own do
        for name in self._lists:
            made[name] = []
        mobject.__dict__.update(made)

    def make(self) -> Mobject:
        """Return another one."""
        made: Mobject = self._class.__new__(self._class)
        self.fill(made)
        return made
