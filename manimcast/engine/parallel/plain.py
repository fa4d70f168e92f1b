"""Which functions only compute: called any number of times in any order, they return the same for the same numbers."""

from __future__ import annotations

import builtins
import dis
import functools
import types
from typing import Any

import numpy as np


def is_plain(function: Any) -> bool:
    """Return whether ``function`` only computes: whatever is called in between, it returns the same for the same.

    Manim's own rate and path functions, and functions of the scene's that work on numbers alone, with :mod:`math` and
    :mod:`numpy`, and change nothing outside.
    """
    return _is_plain(function, set())


def _is_plain(function: Any, seen: set[int]) -> bool:
    if id(function) in seen:
        return True
    seen.add(id(function))
    if isinstance(function, functools.partial):
        values = [*function.args, *function.keywords.values()]
        return _is_plain(function.func, seen) and all(_is_plain_value(value, seen) for value in values)
    if isinstance(function, types.BuiltinFunctionType | np.ufunc):
        return bool(getattr(function, "__module__", None) in _MODULES or function in _BUILTINS)
    if not isinstance(function, types.FunctionType):
        return False
    if not all(_is_plain_value(value, seen) for value in (function.__defaults__ or ())):
        return False
    if not all(_is_plain_value(cell.cell_contents, seen) for cell in function.__closure__ or ()):
        return False
    if (function.__module__ or "").startswith("manim."):
        return True
    return all(_is_plain_instruction(instruction, function, seen) for instruction in dis.get_instructions(function))


_BUILTINS = (abs, min, max, round, pow, sum, divmod, len)
_FORBIDDEN = (
    "STORE_GLOBAL",
    "STORE_DEREF",
    "STORE_ATTR",
    "STORE_SUBSCR",
    "DELETE",
    "IMPORT",
    "YIELD",
    "MAKE_",
    "LOAD_BUILD",
)
_MODULES = {"math", "cmath", "numpy"}


def _is_plain_instruction(instruction: dis.Instruction, function: types.FunctionType, seen: set[int]) -> bool:
    name = instruction.opname
    if name.startswith(_FORBIDDEN):
        return False
    if name in {"LOAD_GLOBAL", "LOAD_NAME"}:
        value = function.__globals__.get(instruction.argval, vars(builtins).get(instruction.argval))
        return _is_plain_value(value, seen)
    if name in {"LOAD_ATTR", "LOAD_METHOD"}:
        # Of a module; what hangs below numpy draws at random as well.
        return instruction.argval not in {"random", "testing", "ctypeslib", "lib", "core"}
    return True


def _is_plain_value(value: Any, seen: set[int]) -> bool:
    if value is None or isinstance(value, bool | int | float | complex | str | np.number):
        return True
    if isinstance(value, tuple):
        return all(_is_plain_value(item, seen) for item in value)
    if isinstance(value, np.ndarray):
        return bool(value.dtype != object)
    if isinstance(value, types.ModuleType):
        return value.__name__ in _MODULES
    if value in (int, float, complex):
        return True
    return callable(value) and _is_plain(value, seen)
