"""Which scenes are rendered, and what each of them stands for."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "scenes"

CLASSES = {
    "short": ("circle",),
    "typical": ("explainer", "sorting", "equations"),
    "plots": ("plots", "circles"),
    "latex": ("derivation",),
    "camera": ("camera",),
    "graphs": ("network", "linear"),
    "plays": ("plays",),
    "tables": ("tables",),
    "images": ("pictures", "picture"),
    "objects": ("transforms", "grid"),
    "waits": ("waits",),
    "text": ("text",),
    "surface": ("surface",),
    "solids": ("solids",),
    "long": ("orbit",),
    "updaters": ("updaters",),
    "fields": ("field",),
}
"""What scenes are made of, in the words of the people who write them."""

TYPICAL = ("typical", "plots", "latex", "camera", "graphs", "plays", "tables", "images")
"""The classes that are counted as typical 2D scenes: what an explanation of something is made of."""

QUALITIES = {"low": "480p15", "medium": "720p30", "high": "1080p60"}


def names() -> list[str]:
    """Return the scenes' names."""
    return [scene for scenes in CLASSES.values() for scene in scenes]


def code_of(scene: str) -> str:
    """Return a scene's source."""
    return path_of(scene).read_text(encoding="utf-8")


def path_of(scene: str) -> Path:
    """Return where a scene is."""
    return FOLDER / f"{scene}.py"


def of_class(*classes: str) -> tuple[str, ...]:
    """Return the scenes of some classes."""
    return tuple(scene for name in classes for scene in CLASSES[name])
