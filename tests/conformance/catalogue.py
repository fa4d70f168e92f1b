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
FOUND = Path(__file__).parent / "found"
"""Scenes that the fuzzer (``fuzz/``) found a difference in; each stays, as a test."""


@dataclass(frozen=True, eq=False)
class View:
    """A picture size, frame rate and renderer, as the ``manim`` command takes them.

    ``options`` are a spec's fields for the same.

    ``frame`` is the size in scene units where it is not Manim's own 14.22 by 8; stock Manim reads it from a
    configuration file.
    """

    name: str
    width: int
    height: int
    rate: float
    options: dict[str, Any]
    frame: tuple[float, float] | None = None
    renderer: str = "cairo"


def _sized(name: str, width: int, height: int, rate: float, frame: tuple[float, float] | None = None) -> View:
    options = {"resolution": {"width": width, "height": height}, "frame_rate": rate}
    return View(name, width, height, rate, options, frame)


FUZZED = _sized("fuzzed", 320, 180, 10)
"""What the fuzzer draws at: small and few, for many scenes."""

LOW = View("low", 854, 480, 15, {"quality": "low_quality"})
MEDIUM = View("medium", 1280, 720, 30, {"quality": "medium_quality"})
TALL = View("tall", 480, 854, 15, {"quality": "low_quality", "aspect_ratio": "9:16"}, frame=(8.0, 8.0 * 16 / 9))
SQUARE = View("square", 480, 480, 15, {"quality": "low_quality", "aspect_ratio": "1:1"}, frame=(8.0, 8.0))
ODD = _sized("odd", 350, 214, 12, frame=(350 / 26.75, 8.0))
SIXTY = _sized("sixty", 426, 240, 60)
BROKEN_RATE = _sized("broken_rate", 426, 240, 23.976)
HIGH = View("high", 1920, 1080, 60, {"quality": "high_quality"})
NARROW = _sized("narrow", 1026, 90, 50, frame=(1026 / 11.25, 8.0))
TINY = _sized("tiny", 66, 38, 100, frame=(66 / 4.75, 8.0))
OPENGL = View(
    "opengl",
    426,
    240,
    15,
    {"engine": "opengl", "resolution": {"width": 426, "height": 240}, "frame_rate": 15},
    renderer="opengl",
)

VIEWED = {
    MEDIUM: (
        "effects:Growing",
        "formulas:MatchingTex",
        "cameras:MovingFrame",
        "plots:Areas",
        "morphs:TargetsAndStates",
        "updating:Redrawn",
        "solids:BallSurface",
    ),
    HIGH: (
        "pacing:Waits",
        "shapes:SeeThrough",
        "lettering:Markup",
        "solids:SpaceAxes",
        "pictures:PicturesBehindShapes",
    ),
    TALL: ("lettering:PlainText", "solids:TurningCube", "cameras:FollowingFrame", "vectors:Fields"),
    SQUARE: ("shapes:Gradients", "pictures:ImageFromArray", "plots:Planes"),
    ODD: ("shapes:DashedAndStroked", "pacing:ShortAndOdd", "cameras:ZoomedView", "updating:Traced"),
    NARROW: ("shapes:RoundThings", "lettering:WordByWord", "structure:Sections", "solids:AmbientTurn"),
    TINY: ("pacing:WaitUntil", "plots:Riemann", "custom:CustomPlay", "pictures:PointClouds"),
    SIXTY: (
        "pacing:Waits",
        "updating:SteppedByTime",
        "chance:RandomWalk",
        "morphs:FadeTransforms",
        "pacing:NestedGroups",
        "cameras:AutoZoom",
        "solids:WavySurface",
        "vectors:Streams",
        "custom:StatefulAnimation",
        "structure:SkippedWithUpdater",
    ),
    BROKEN_RATE: ("pacing:InSuccession", "pacing:WaitUntil", "structure:Subcaptions"),
    OPENGL: (
        "shapes:Polygons",
        "shapes:RoundThings",
        "shapes:SeeThrough",
        "morphs:TargetsAndStates",
        "lettering:PlainText",
        "lettering:Markup",
        "formulas:TexLines",
        "formulas:MatchingTex",
        "pacing:RateFunctions",
        "pacing:Lagging",
        "pacing:InSuccession",
        "pacing:Waits",
        "pacing:LongHold",
        "effects:Fading",
        "effects:CreateAndUncreate",
        "effects:WriteAndUnwrite",
        "plots:AxesAndGraphs",
        "plots:Planes",
        "updating:SteppedByTime",
        "updating:Redrawn",
        "structure:Sections",
        "structure:SkippedSection",
        "structure:Subcaptions",
        "chance:StandardRandom",
        "tables:Matrices",
        "solids:BallSurface",
    ),
}
"""Scenes that are also drawn at sizes and rates other than low quality, or by the other renderer.

Manim's OpenGL renderer fails on many scenes; those here it can draw, and draws the same each time.
"""


@dataclass(frozen=True)
class Case:
    """One scene at one size."""

    file: str
    scene: str
    view: View
    folder: Path = SCENES

    @property
    def name(self) -> str:
        """What the case is called in test reports."""
        return f"{self.file}:{self.scene}" + ("" if self.view is LOW else f"@{self.view.name}")

    @property
    def code(self) -> str:
        """The scene file's source."""
        return (self.folder / f"{self.file}.py").read_text(encoding="utf-8")


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
    found += [Case(path.stem, "Fuzzed", FUZZED, FOUND) for path in sorted(FOUND.glob("*.py"))]
    return tuple(found)


def sample(size: int, day: datetime.date) -> frozenset[str]:
    """Return the names of ``size`` cases: one of each other view, the rest chosen by the date."""
    chooser = random.Random(day.isoformat())
    picked = [chooser.choice([case.name for case in cases() if case.view is view]) for view in VIEWED]
    rest = [case.name for case in cases() if case.view is LOW]
    return frozenset(picked + chooser.sample(rest, max(0, size - len(picked))))
