"""Updaters: finding out at each frame which of them take the time that has passed."""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

from manim.mobject.mobject import Mobject

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.mobject.Mobject.update",
        Mobject.update,
        "52c93cfdbd9877d3aec74379c2e247c6b9e232bfaeaf307a387868cb317a662e",
        "Upstream makes a signature of every updater at every frame, and goes into every glyph that has none.",
    ),
)

_original = Mobject.update


def install() -> None:
    """Put the patch in place."""
    Mobject.update = _update  # type: ignore[assignment, method-assign]


@functools.wraps(_original)
def _update(self: Mobject, dt: float = 0, recursive: bool = True) -> Mobject:
    if self.updating_suspended:
        return self
    for updater in self.updaters:
        if takes_time(updater):
            updater(self, dt)  # type: ignore[call-arg]
        else:
            updater(self)  # type: ignore[call-arg]
    if recursive:
        for submobject in self.submobjects:
            if submobject.updaters or submobject.submobjects or type(submobject).update is not _update:
                submobject.update(dt, recursive=recursive)
    return self


def takes_time(updater: Any) -> bool:
    """Whether ``inspect.signature`` finds a parameter ``dt``."""
    if type(updater) is types.FunctionType and not updater.__dict__:
        code = updater.__code__
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        return "dt" in code.co_varnames[:count]
    return "dt" in inspect.signature(updater).parameters
