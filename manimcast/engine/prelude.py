"""The names that are there without an import."""

from __future__ import annotations

import builtins
import copy
import math
from collections.abc import Mapping
from typing import Any

import manim

from manimcast.params import NAME


def prelude(params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the names beneath a scene's own: ``PARAMS``, Manim's, then math's, then the builtins on top.

    ``PARAMS`` is a copy of ``params``, which the scene may change as it likes.
    """
    names: dict[str, Any] = {NAME: copy.deepcopy(dict(params or {}))}
    for module in (manim, math):
        names.update({name: value for name, value in vars(module).items() if not name.startswith("_")})
    names.update(vars(builtins))
    return names
