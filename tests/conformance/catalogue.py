"""Which scenes there are, at which picture sizes they are drawn, and which of them today's sample holds."""

from __future__ import annotations

import ast
import datetime
import functools
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCENES = Path(__file__).parent / "scenes"


@dataclass(frozen=True, eq=False)
class View:
    """A picture size and frame rate, as the ``manim`` command takes them; ``options`` are a spec's fields for the same.

    ``frame`` is the size in scene units where it is not Manim's own 14.22 by 8; stock Manim reads it from a
    configuration file.
    """

    name: str
    width: int
    height: int
    rate: float
    options: dict[str, Any]
    frame: tuple[float, float] | None = None


def _sized(name: str, width: int, height: int, rate: float, frame: tuple[float, float] | None = None) -> View:
    options = {"resolution": {"width": width, "height": height}, "frame_rate": rate}
    return View(name, width, height, rate, options, frame)


LOW = View("low", 854, 480, 15, {"quality": "low_quality"})
MEDIUM = View("medium", 1280, 720, 30, {"quality": "medium_quality"})
TALL = View("tall", 480, 854, 15, {"quality": "low_quality", "aspect_ratio": "9:16"}, frame=(8.0, 8.0 * 16 / 9))
SQUARE = View("square", 480, 480, 15, {"quality": "low_quality", "aspect_ratio": "1:1"}, frame=(8.0, 8.0))
ODD = _sized("odd", 350, 214, 12, frame=(350 / 26.75, 8.0))
SIXTY = _sized("sixty", 426, 240, 60)
BROKEN_RATE = _sized("broken_rate", 426, 240, 23.976)

VIEWED = {
    MEDIUM: ("effects:Growing", "formulas:MatchingTex", "cameras:MovingFrame", "plots:Areas"),
    TALL: ("lettering:PlainText", "solids:TurningCube", "cameras:FollowingFrame", "vectors:Fields"),
    SQUARE: ("shapes:Gradients", "pictures:ImageFromArray", "plots:Planes"),
    ODD: ("shapes:DashedAndStroked", "pacing:ShortAndOdd", "cameras:ZoomedView", "updating:Traced"),
    SIXTY: ("pacing:Waits", "updating:SteppedByTime", "chance:RandomWalk", "morphs:FadeTransforms"),
    BROKEN_RATE: ("pacing:InSuccession", "pacing:WaitUntil", "structure:Subcaptions"),
}
"""Scenes that are also drawn at sizes and rates other than low quality."""


@dataclass(frozen=True)
class Case:
    """One scene at one size."""

    file: str
    scene: str
    view: View

    @property
    def name(self) -> str:
        """What the case is called in test reports."""
        return f"{self.file}:{self.scene}" + ("" if self.view is LOW else f"@{self.view.name}")

    @property
    def code(self) -> str:
        """The scene file's source."""
        return (SCENES / f"{self.file}.py").read_text(encoding="utf-8")


def scenes_in(source: str) -> list[str]:
    """Return the names of the scene classes at the top level of ``source``, without those that begin with ``_``."""
    scenes: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            if any(base.endswith("Scene") or base in scenes for base in bases):
                scenes.append(node.name)
    return [name for name in scenes if not name.startswith("_")]


@functools.cache
def cases() -> tuple[Case, ...]:
    """Return every case, in a fixed order."""
    found = [
        Case(path.stem, scene, LOW)
        for path in sorted(SCENES.glob("*.py"))
        for scene in scenes_in(path.read_text(encoding="utf-8"))
    ]
    for view, names in VIEWED.items():
        for name in names:
            file, scene = name.split(":")
            found.append(Case(file, scene, view))
    return tuple(found)


def sample(size: int, day: datetime.date) -> frozenset[str]:
    """Return the names of ``size`` cases: one of each other view, the rest chosen by the date."""
    chooser = random.Random(day.isoformat())
    picked = [chooser.choice([case.name for case in cases() if case.view is view]) for view in VIEWED]
    rest = [case.name for case in cases() if case.view is LOW]
    return frozenset(picked + chooser.sample(rest, max(0, size - len(picked))))
