"""What would probably mend an error, in one or two sentences."""

from __future__ import annotations

import difflib
import inspect
import re
from types import FrameType
from typing import Any

from manimcast.engine.errors import LatexError
from manimcast.engine.prelude import prelude
from manimcast.params import NAME as PARAMS
from manimcast.spec import ErrorCode

RENAMED = {
    "ShowCreation": "Create",
    "ShowPassingFlashAround": "ShowPassingFlash",
    "FadeInFrom": "FadeIn with shift=",
    "FadeInFromDown": "FadeIn with shift=UP",
    "FadeOutAndShift": "FadeOut with shift=",
    "TextMobject": "Tex",
    "TexMobject": "MathTex",
    "OldTex": "MathTex",
    "OldTexText": "Tex",
    "GraphScene": "Axes in a Scene",
    "ShowCreationThenDestruction": "ShowPassingFlash",
    "CONFIG": "arguments of the constructors",
    "get_graph": "plot",
    "frame": "MovingCameraScene's camera.frame",
    "ContinualRotation": "Rotating",
    "Mobject2D": "VMobject",
    "GrowFromCenterAndRotate": "SpinInFromNothing",
    "WiggleOutThenIn": "Wiggle",
    "CircleIndicate": "Circumscribe",
    "ShowIncreasingSubset": "ShowIncreasingSubsets",
    "TransformEquation": "TransformMatchingTex",
}
"""Names of other Manim versions, and what ManimCE 0.22 calls them."""


def hint(error: BaseException, code: ErrorCode) -> str | None:
    """Return advice for ``error``, or None when there is nothing good to say."""
    if isinstance(error, LatexError):
        return error.hint
    if code is ErrorCode.output_too_large:
        return "Make the video shorter or smaller, or ask for a lower quality."
    if code is ErrorCode.out_of_memory:
        return "Use fewer or smaller objects, or a lower quality."
    if code is ErrorCode.forbidden:
        return (
            "Renders have no network, write only to their own folder and to /tmp, and run only the system's programs."
        )
    if isinstance(error, NameError):
        return _nearest_name(error.name, [*prelude(), *_scene_names(error)])
    if isinstance(error, AttributeError):
        return _attribute(error)
    if isinstance(error, ModuleNotFoundError):
        return _module(error)
    if isinstance(error, ImportError) and error.name == "manim":
        match = re.search(r"cannot import name '(\w+)'", str(error))
        return _nearest_name(match[1] if match else None, list(prelude()))
    if isinstance(error, TypeError):
        return _keyword(error)
    if isinstance(error, FileNotFoundError):
        return (
            "Files that a scene reads must be there when it runs; a render starts in an empty directory. "
            "Send them along, in files or assets."
        )
    if isinstance(error, KeyError):
        return _parameter(error)
    if isinstance(error, EOFError):
        return "A render has no terminal: input() has nothing to read."
    return None


def _nearest_name(name: str | None, names: list[str]) -> str | None:
    if not name:
        return None
    if name in RENAMED:
        return f"{name} is not in ManimCE 0.22. Use {RENAMED[name]}."
    close = difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.7)
    return f"Did you mean {' or '.join(close)}?" if close else None


def _scene_names(error: BaseException) -> list[str]:
    """Names that were in reach where ``error`` was raised."""
    frame = _frame(error)
    return [*frame.f_locals, *frame.f_globals] if frame is not None else []


def _frame(error: BaseException) -> FrameType | None:
    """Return where ``error`` was raised."""
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return tb.tb_frame if tb is not None else None


def _parameter(error: KeyError) -> str | None:
    """Return what ``PARAMS`` has instead, where the line is about that."""
    frame = _frame(error)
    if frame is None or PARAMS not in frame.f_code.co_names or PARAMS in frame.f_globals or not error.args:
        return None
    name, there = error.args[0], frame.f_builtins.get(PARAMS)
    if not isinstance(there, dict) or not isinstance(name, str) or name in there:
        return None
    if not there:
        return f"PARAMS has no {name!r}: the request has no params. Send it as params."
    close = difflib.get_close_matches(name, [key for key in there if isinstance(key, str)], n=1)
    if close:
        return f"PARAMS has no {name!r}. Did you mean {close[0]!r}?"
    return f"PARAMS has no {name!r}, only {', '.join(map(repr, there))[:200]}. Send it in params."


def _attribute(error: AttributeError) -> str | None:
    if error.name in RENAMED:
        return f"{error.name} is not in ManimCE 0.22. Use {RENAMED[error.name]}."
    try:
        names = dir(error.obj)
    except Exception:  # noqa: BLE001  dir() runs the scene's own code
        return None
    close = difflib.get_close_matches(error.name or "", [name for name in names if name[0] != "_"], n=3, cutoff=0.65)
    return f"Did you mean {' or '.join(close)}?" if close else None


def _module(error: ModuleNotFoundError) -> str | None:
    root = (error.name or "").partition(".")[0]
    if root == "manimlib":
        return "This code is for 3b1b's manim. The service renders Manim Community: from manim import *"
    if root:
        return (
            f"{root} is not installed here. Scenes may import what docs/how-to/write-scenes-for-the-service.md lists."
        )
    return None


def _keyword(error: TypeError) -> str | None:
    match = re.search(r"(?:(\w+)\.)?(\w+)\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if not match:
        return None
    owner, function, keyword = match.groups()
    names: dict[str, Any] = prelude()
    target = names.get(owner or function)
    if target is None:
        return None
    known: set[str] = set()
    for cls in getattr(target, "__mro__", [target]):
        init = cls.__dict__.get("__init__") if isinstance(cls, type) else cls
        if callable(init):
            known |= {name for name in inspect.signature(init).parameters if name not in {"self", "args", "kwargs"}}
    close = difflib.get_close_matches(keyword, sorted(known), n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}=?"
    listed = ", ".join(sorted(known)[:20])
    return f"{owner or function} takes: {listed}." if listed else None
