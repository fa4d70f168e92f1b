"""The names that are there without an import."""

from __future__ import annotations

import builtins
import math
from typing import Any

import manim


def prelude() -> dict[str, Any]:
    """Return the names beneath a scene's own: Manim's, then math's, then the builtins on top."""
    names: dict[str, Any] = {}
    for module in (manim, math):
        names.update({name: value for name, value in vars(module).items() if not name.startswith("_")})
    names.update(vars(builtins))
    return names
