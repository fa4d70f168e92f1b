"""Objects that a scene shows and nobody sees: outside the picture all the time, or without any size.

Judged with care, since a warning that is wrong is worse than none: an object counts as seen as soon as any part of it
was in the picture at the begin, at the end or at a few moments of any play.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from manim import Mobject, Scene, VMobject
from manim.camera.multi_camera import MultiCamera
from manim.camera.three_d_camera import ThreeDCamera
from manim.mobject.types.image_mobject import AbstractImageMobject
from manim.mobject.types.point_cloud_mobject import PMobject

from manimcast.inspection import SceneWarning, WarningCode

MAX_OBJECTS = 5000
"""Objects of a scene that are watched."""
TINY = 1e-6
"""Scene units below which nothing is seen."""
MARGIN = 1e-3
"""Scene units of grace at the picture's edge."""

Box = tuple[np.ndarray, np.ndarray]


@dataclass
class _Sighting:
    """One object that has not been seen yet."""

    mobject: Mobject
    line: int | None
    index: int
    visible_at_ends: int = 0
    has_size: bool = False


class Sightings:
    """Watches the objects of one scene."""

    def __init__(self) -> None:
        self._unseen: dict[int, _Sighting] = {}
        self._seen: dict[int, Mobject] = {}  # kept, so that their ids stay theirs

    def look(self, scene: Scene, moment: str, *, index: int, line: int | None) -> None:
        """Look at what is in ``scene`` at ``moment`` (``begin``, ``between``, ``end``) of the play ``index``."""
        frame = _frame(scene)
        if frame is None:
            return
        for mobject in scene.mobjects:
            key = id(mobject)
            if key in self._seen or len(self._seen) + len(self._unseen) > MAX_OBJECTS:
                continue
            box = _box(mobject)
            if box is None:
                continue
            sighting = self._unseen.setdefault(key, _Sighting(mobject, line, index))
            low, high = box
            sighting.has_size |= bool((high - low).max() > TINY)
            inside = bool(np.all(low[:2] <= frame[1] + MARGIN) and np.all(high[:2] >= frame[0] - MARGIN))
            if inside and sighting.has_size:
                self._seen[key] = self._unseen.pop(key).mobject
            elif moment == "end":
                sighting.visible_at_ends += 1

    def warnings(self) -> list[SceneWarning]:
        """Return what is to be said of objects that were never seen although they were there at the end of a play."""
        return [_warning(sighting) for sighting in self._unseen.values() if sighting.visible_at_ends]


def _warning(sighting: _Sighting) -> SceneWarning:
    name = named(sighting.mobject)
    if sighting.has_size:
        x, y, _ = sighting.mobject.get_center()
        return SceneWarning(
            code=WarningCode.off_screen,
            message=f"{name} is outside the picture whenever it is shown; its centre is at ({x:.1f}, {y:.1f}).",
            line=sighting.line,
            animation_index=sighting.index,
            hint="The picture is centred at the origin, 8 units along its short side.",
        )
    return SceneWarning(
        code=WarningCode.zero_size,
        message=f"{name} has no size, so nothing of it is seen.",
        line=sighting.line,
        animation_index=sighting.index,
        hint="Check its radius, its ends or the factors that it is scaled by.",
    )


def named(mobject: Mobject) -> str:
    """Return what to call ``mobject``: its class, and its text if it has one."""
    text = getattr(mobject, "original_text", None) or getattr(mobject, "tex_string", None)
    name = type(mobject).__name__[:100]
    return f"{name} {text[:60]!r}" if isinstance(text, str) and text else name


def _frame(scene: Scene) -> Box | None:
    """Return the lower left and the upper right corner of the picture in scene units; None where that says little."""
    camera: Any = scene.renderer.camera
    if isinstance(camera, ThreeDCamera | MultiCamera) or type(scene.renderer).__name__ != "CairoRenderer":
        return None
    centre = np.asarray(camera.frame_center, dtype=float)[:2]
    half = np.array([camera.frame_width, camera.frame_height]) / 2
    return centre - half, centre + half


def _box(mobject: Mobject) -> Box | None:
    """Return the corners of what is visible of ``mobject`` and its submobjects; None when nothing is."""
    boxes = [
        (part.points.min(axis=0), part.points.max(axis=0))
        for part in mobject.get_family()
        if len(part.points) and _is_visible(part)
    ]
    if not boxes:
        return None
    low, high = np.min([box[0] for box in boxes], axis=0), np.max([box[1] for box in boxes], axis=0)
    return (low, high) if np.all(np.isfinite(low)) and np.all(np.isfinite(high)) else None


def _is_visible(part: Mobject) -> bool:
    if isinstance(part, VMobject):
        stroked = part.get_stroke_width() > 0 and bool(np.any(part.get_stroke_opacities() > 0))
        return stroked or bool(np.any(part.get_fill_opacities() > 0))
    return isinstance(part, PMobject | AbstractImageMobject)
