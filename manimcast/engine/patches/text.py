"""Text from Pango: its glyphs' curves are closed at once, not point by point."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from manim import config, logger
from manim.constants import NORMAL, RendererType
from manim.mobject.text.text_mobject import (
    DEFAULT_FONT_SIZE,
    DEFAULT_LINE_SPACING_SCALE,
    TEXT_MOB_SCALE_FACTOR,
    Text,
)
from manim.mobject.types.vectorized_mobject import VMobject
from manim.utils.color import ManimColor
from manimpango import PangoUtils

from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.text.text_mobject.Text.__init__",
        Text.__init__,
        "70a2bf58dc91d8fc106bf56d596ac5edd8894d34c871264ac59d0a08315092e0",
        "Upstream closes each glyph's curves in a loop over their points, a sixth of the time of a text. All before "
        "that loop is upstream's.",
    ),
    Patch(
        "manimpango.utils.PangoUtils.remove_last_M",
        PangoUtils.remove_last_M,
        "d75c7299903cb1f14fc81ba2de0d0cbc169a9135bba854f9e1885d65ea5d189a",
        "Upstream writes each text's SVG again, also where nothing had to be taken out of it.",
    ),
)

Points = npt.NDArray[np.float64]

_original = Text.__init__
_original_remove_last_m = PangoUtils.remove_last_M


def install() -> None:
    """Put the patch in place."""
    Text.__init__ = _text_init  # type: ignore[method-assign]
    PangoUtils.remove_last_M = staticmethod(_remove_last_m)


def closed(points: Points) -> Points:
    """Return cubic curves (4n x 3, n at least 1) with a line back to its start at the end of each run of them.

    A run ends where the next curve starts elsewhere. Other than whole curves are left as they are.
    """
    ends = np.flatnonzero((points[3:-1:4] != points[4::4]).any(axis=1)) * 4 + 4
    starts = np.concatenate(([0], ends))
    lasts = np.concatenate((ends, [len(points)])) - 1
    start, end = points[lasts], points[starts]
    lines = np.stack((start, (start + start + end) / 3, (start + end + end) / 3, end), axis=1)
    runs = np.split(points, ends)
    return np.concatenate([part for run, line in zip(runs, lines, strict=True) for part in (run, line)])


@functools.wraps(_original_remove_last_m)
def _remove_last_m(file_name: str) -> None:
    content = Path(file_name).read_text()
    if re.search(r'Z M [^A-Za-z]*? "\/>', content):
        _original_remove_last_m(file_name)


@functools.wraps(_original)
def _text_init(  # noqa: PLR0912, PLR0915, PLR0917  upstream's own
    self: Text,
    text: str,
    fill_opacity: float = 1.0,
    stroke_width: float = 0,
    color: Any | None = None,
    font_size: float = DEFAULT_FONT_SIZE,
    line_spacing: float = -1,
    font: str = "",
    slant: str = NORMAL,
    weight: str = NORMAL,
    t2c: dict[str, str] | None = None,
    t2f: dict[str, str] | None = None,
    t2g: dict[str, Any] | None = None,
    t2s: dict[str, str] | None = None,
    t2w: dict[str, str] | None = None,
    gradient: Any | None = None,
    tab_width: int = 4,
    warn_missing_font: bool = True,
    height: float | None = None,
    width: float | None = None,
    should_center: bool = True,
    disable_ligatures: bool = False,
    use_svg_cache: bool = False,
    **kwargs: Any,
) -> None:
    if config.renderer != RendererType.CAIRO:
        arguments = {name: value for name, value in locals().items() if name not in ("self", "kwargs")}
        _original(self, **arguments, **kwargs)
        return
    self.line_spacing = line_spacing
    if font and warn_missing_font:
        fonts_list = Text.font_list()
        # handle special case of sans/sans-serif
        if font.lower() == "sans-serif":
            font = "sans"
        if font not in fonts_list:
            # check if the capitalized version is in the supported fonts
            if font.capitalize() in fonts_list:
                font = font.capitalize()
            elif font.lower() in fonts_list:
                font = font.lower()
            elif font.title() in fonts_list:
                font = font.title()
            else:
                logger.warning(f"Font {font} not in {fonts_list}.")
    self.font = font
    self._font_size = float(font_size)
    # needs to be a float or else size is inflated when font_size = 24
    # (unknown cause)
    self.slant = slant
    self.weight = weight
    self.gradient = gradient
    self.tab_width = tab_width
    t2c = kwargs.pop("text2color", {} if t2c is None else t2c)
    t2f = kwargs.pop("text2font", {} if t2f is None else t2f)
    t2g = kwargs.pop("text2gradient", {} if t2g is None else t2g)
    t2s = kwargs.pop("text2slant", {} if t2s is None else t2s)
    t2w = kwargs.pop("text2weight", {} if t2w is None else t2w)
    self.t2c = {k: ManimColor(v).to_hex() for k, v in t2c.items()}
    self.t2f = t2f
    self.t2g = t2g
    self.t2s = t2s
    self.t2w = t2w

    self.original_text = text
    self.disable_ligatures = disable_ligatures
    text_without_tabs = text
    if text.find("\t") != -1:
        text_without_tabs = text.replace("\t", " " * self.tab_width)
    self.text = text_without_tabs
    if self.line_spacing == -1:
        self.line_spacing = self._font_size + self._font_size * DEFAULT_LINE_SPACING_SCALE
    else:
        self.line_spacing = self._font_size + self._font_size * self.line_spacing

    parsed_color = ManimColor(color) if color else VMobject().color
    file_name = self._text2svg(parsed_color.to_hex())
    PangoUtils.remove_last_M(file_name)
    super(Text, self).__init__(
        file_name,
        fill_opacity=fill_opacity,
        stroke_width=stroke_width,
        height=height,
        width=width,
        should_center=should_center,
        use_svg_cache=use_svg_cache,
        color=parsed_color,
        **kwargs,
    )
    self.text = text
    if self.disable_ligatures:
        self.submobjects = [*self._gen_chars()]
    self.chars = self.get_group_class()(*self.submobjects)
    self.text = text_without_tabs.replace(" ", "").replace("\n", "")
    for each in self:
        if len(each.points):
            each.points = closed(each.points)
    if height is None and width is None:
        self.scale(TEXT_MOB_SCALE_FACTOR)  # anti-aliasing
    self.initial_height = self.height
