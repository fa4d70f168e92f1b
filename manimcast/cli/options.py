"""Values that options of the command line take, spelled out here so that `--help` needs no models.

A test holds them equal to those of :mod:`manimcast.spec`.
"""

from __future__ import annotations

from typing import Literal

import typer

FORMATS = Literal["mp4", "webm", "mov", "gif", "png"]
RATIOS = Literal["16:9", "9:16", "1:1", "4:3", "4:5"]
ENGINES = Literal["cairo", "opengl"]
SANDBOXES = Literal["strict", "weak", "off"]
PRESETS = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"]
QUALITIES = ("low", "medium", "high", "production", "fourk")

_LETTERS = {"l": "low", "m": "medium", "h": "high", "p": "production", "k": "fourk"}


def quality_name(value: str) -> str:
    """Return the short name of a quality from that name, its long form, or manim's letter."""
    name = _LETTERS.get(value, value.removesuffix("_quality"))
    if name not in QUALITIES:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(QUALITIES)}.")
    return name


def picture_size(value: str) -> dict[str, int]:
    """Return width and height from ``1280x720``; a comma, as manim takes it, does as well."""
    width, separator, height = value.lower().replace(",", "x").partition("x")
    if not separator or not width.strip().isdecimal() or not height.strip().isdecimal():
        raise typer.BadParameter(f"{value!r} is not a size such as 1280x720.")
    return {"width": int(width), "height": int(height)}


def animation_range(value: str) -> tuple[int, int]:
    """Return first and last animation from ``2,5``; a single number stands for itself."""
    first, separator, last = value.partition(",")
    if not first.strip().isdecimal() or (separator and not last.strip().isdecimal()):
        raise typer.BadParameter(f"{value!r} is not a range such as 2,5.")
    return int(first), int(last if separator else first)
