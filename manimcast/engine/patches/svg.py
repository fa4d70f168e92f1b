"""Shapes from SVG, which all text is made of."""

from __future__ import annotations

import functools
from typing import Any

import svgelements as se
from manim.mobject.svg.svg_mobject import VMobjectFromSVGPath

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.svg.svg_mobject.VMobjectFromSVGPath.__init__",
        VMobjectFromSVGPath.__init__,
        "569e05f193dcd46011ae5a45b569a14cd0c37015d9a3ab07f1f8d49cbb0a01b7",
        "Each glyph keeps its parsed path, which nothing changes afterwards, and each animation copies it deeply: "
        "most of the time of scenes with much text.",
    ),
)

_original_svg_path_init = VMobjectFromSVGPath.__init__


def install() -> None:
    """Put the patches in place."""
    VMobjectFromSVGPath.__init__ = _svg_path_init  # type: ignore[method-assign]


@functools.wraps(_original_svg_path_init)
def _svg_path_init(self: VMobjectFromSVGPath, path_obj: se.Path, *args: Any, **kwargs: Any) -> None:
    _original_svg_path_init(self, path_obj, *args, **kwargs)
    path_obj.__deepcopy__ = lambda _memo: path_obj
