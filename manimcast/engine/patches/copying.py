"""Copies of mobjects: what ``copy.deepcopy`` makes of one, without its detour for each value.

Every animation copies its mobject, some twice. Three of four values in a mobject are numbers, strings and ``None``,
for which the general way costs a call each; the rest are nearly always arrays, lists and colours.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from manim.constants import CapStyleType, LineJointType
from manim.mobject.mobject import Mobject
from manim.utils.color.core import ManimColor

from manimcast.engine import native
from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.mobject.Mobject.__deepcopy__",
        Mobject.__deepcopy__,
        "8a1349b6fc8ab459e17e26106fb1c7595853e3369231f936624170f283ea8ab1",
        "Each animation copies its mobject; the copy is the same, made without a call for each number and string.",
    ),
)

Memo = dict[int, Any]
_VALUE = "_ManimColor__value"
_original = Mobject.__deepcopy__


def install() -> None:
    """Put the patch in place: the native part's, where there is one."""
    Mobject.__deepcopy__ = (  # type: ignore[method-assign]
        deepcopy_mobject if native.library is None else natively  # type: ignore[assignment]
    )


def natively(self: Mobject, clone_from_id: Memo) -> Mobject:
    """Return what :func:`deepcopy_mobject` returns, made by the native part."""
    made: Mobject = native.library.deepcopy_mobject(
        self,
        clone_from_id,
        natively,
        _original,
        copy.deepcopy,
        _THEMSELVES,
        _plans,
        _plan,
        np.ndarray,
        None if hasattr(ManimColor, "__deepcopy__") else ManimColor,
        _VALUE,
    )
    return made


def deepcopy_mobject(self: Mobject, clone_from_id: Memo) -> Mobject:
    """Return a deep copy, as :func:`copy.deepcopy` makes it; ``clone_from_id`` is its memo."""
    cls = self.__class__
    attributes = self.__dict__
    if cls.__setattr__ is not object.__setattr__ or not _data_descriptors(cls).isdisjoint(attributes):
        return _original(self, clone_from_id)
    result = cls.__new__(cls)
    clone_from_id[id(self)] = result
    copied = result.__dict__
    copied.update(attributes)
    for key, value in attributes.items():
        kind = type(value)
        if kind not in _THEMSELVES:
            copied[key] = _COPIERS.get(kind, copy.deepcopy)(value, clone_from_id)
    copied["original_id"] = str(id(self))
    return result


def _copy_array(array: np.ndarray, memo: Memo) -> np.ndarray:
    if array.dtype.hasobject:
        return copy.deepcopy(array, memo)
    found = memo.get(id(array))
    if found is None:
        found = memo[id(array)] = array.__deepcopy__(memo)
    return found


def _copied(value: Any, memo: Memo) -> Any:
    kind = type(value)
    return value if kind in _THEMSELVES else _COPIERS.get(kind, copy.deepcopy)(value, memo)


def _copy_list(values: list[Any], memo: Memo) -> list[Any]:
    found = memo.get(id(values))
    if found is not None:
        return found  # type: ignore[no-any-return]
    result: list[Any] = []
    memo[id(values)] = result
    for value in values:
        kind = type(value)
        result.append(value if kind in _THEMSELVES else _COPIERS.get(kind, copy.deepcopy)(value, memo))
    return result


def _copy_dict(values: dict[Any, Any], memo: Memo) -> dict[Any, Any]:
    found = memo.get(id(values))
    if found is not None:
        return found  # type: ignore[no-any-return]
    result: dict[Any, Any] = {}
    memo[id(values)] = result
    for key, value in values.items():
        result[_copied(key, memo)] = _copied(value, memo)
    return result


def _copy_color(color: ManimColor, memo: Memo) -> ManimColor:
    state = color.__dict__
    if len(state) != 1 or _VALUE not in state or hasattr(ManimColor, "__deepcopy__"):
        return copy.deepcopy(color, memo)
    found = memo.get(id(color))
    if found is None:
        found = memo[id(color)] = ManimColor.__new__(ManimColor)
        found.__dict__[_VALUE] = _copy_array(state[_VALUE], memo)
    return found


_COPIERS: dict[type, Callable[[Any, Memo], Any]] = {
    np.ndarray: _copy_array,
    list: _copy_list,
    dict: _copy_dict,
    ManimColor: _copy_color,
}
"""How to copy a value of exactly this type. All others are copied by ``copy``."""

_THEMSELVES: set[type] = {
    *(type(None), int, float, bool, complex, str, bytes, type),
    *(types.FunctionType, types.BuiltinFunctionType, type(Ellipsis), type(NotImplemented)),
    *(LineJointType, CapStyleType, np.float64, type(Path())),
}
"""Types whose values stand for themselves."""

_descriptors: dict[type, frozenset[str]] = {}


def _data_descriptors(cls: type) -> frozenset[str]:
    """Return the names under which setting an attribute of an instance runs code; slots among them."""
    found = _descriptors.get(cls)
    if found is None:
        found = _descriptors[cls] = frozenset(
            name
            for base in cls.__mro__
            for name, value in base.__dict__.items()
            if hasattr(type(value), "__set__") and name not in _TRANSPARENT
        )
    return found


_plans: dict[type, tuple[str, ...] | None] = {}


def _plan(cls: type) -> tuple[str, ...] | None:
    """Return the names that an instance to be copied natively must not have; None for a class that hides itself."""
    if any("__class__" in base.__dict__ for base in cls.__mro__ if base is not object):
        return None
    return tuple(_data_descriptors(cls))


_TRANSPARENT: set[str] = set()
"""Descriptors whose values lie in the instance's ``__dict__`` under the same name and may be copied there."""


def stand_for_themselves(*kinds: type) -> None:
    """Note that values of these types are immutable, so that a copy may share them."""
    _THEMSELVES.update(kinds)


def copied_in_place(name: str) -> None:
    """Note that the descriptor ``name`` keeps its value in the instance under the same name."""
    _TRANSPARENT.add(name)
