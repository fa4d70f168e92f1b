"""Two ways to step a scene, and what every mobject is made of at each frame, to compare them."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stepping import in_child, step

NOT_COMPARED = {"original_id", "path_obj", "file_name"}
"""An address, what is read only when it is asked for, and the name of a temporary folder."""


def frames(path: Path, scene: str, way: str, rate: float = 15, whole: int | None = None) -> list[str]:
    """Return a digest of all mobjects at each frame, and of both random generators at the end.

    ``way`` is ``stock`` or ``patched``; of the frame ``whole`` there is a full description instead.
    """
    return in_child(lambda: _frames(path, scene, way, rate, whole))  # type: ignore[no-any-return]


def _frames(path: Path, scene: str, way: str, rate: float, whole: int | None) -> list[str]:
    seen: list[str] = []

    def watch(scene: Any, mobjects: Any) -> None:
        text = repr(describe([list(mobjects or ()), scene.mobjects, scene.foreground_mobjects, scene.renderer.time]))
        seen.append(text if len(seen) == whole else hashlib.blake2b(text.encode(), digest_size=8).hexdigest())

    step(path, scene, way, rate, watch)
    generators = repr((random.getstate(), describe(np.random.get_state())))
    return [*seen, hashlib.blake2b(generators.encode(), digest_size=8).hexdigest()]


def describe(value: Any) -> Any:
    """Return what ``value`` is made of: every float to the last bit, and which mobject is where."""
    return _describe(value, {})


def _describe(value: Any, known: dict[int, int]) -> Any:
    from manim import ManimColor, Mobject  # noqa: PLC0415  takes most of a second

    if isinstance(value, Mobject):
        if id(value) in known:
            return f"mobject {known[id(value)]}"
        known[id(value)] = len(known)
        attributes = {key: item for key, item in vars(value).items() if key not in NOT_COMPARED}
        return type(value).__name__, {key: _describe(item, known) for key, item in sorted(attributes.items())}
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return [_describe(item, known) for item in value.tolist()]
        return value.dtype.str, value.shape, hashlib.blake2b(value.tobytes(), digest_size=8).hexdigest()
    if isinstance(value, ManimColor):
        return type(value).__name__, _describe(value._internal_value, known)
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [_describe(item, known) for item in value]
    if isinstance(value, dict):
        return {str(key): _describe(item, known) for key, item in value.items()}
    if isinstance(value, float):
        return type(value).__name__, float(value).hex()
    if value is None or isinstance(value, (bool, int, str)):
        return type(value).__name__, value
    return type(value).__name__
