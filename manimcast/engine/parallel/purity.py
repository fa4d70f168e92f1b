"""Which plays may be stepped over: what a frame shows depends on its time alone, not on the frames before it.

Then the process that runs the scene need not step through a play that others draw, and those need not step up to the
frame they begin with. Three things must hold, and are looked at each time:

- nothing else runs while the play does: no updater anywhere, no stop condition, no mesh;
- each animation is one of Manim's own that compute every state from the beginning and the end (:data:`PURE`), with
  nothing of the scene's own in between: no method of an animation or mobject overridden, no function that does more
  than compute (:func:`.plain.is_plain`), no mobject in two animations of the play;
- afterwards the states fit: whoever begins at a frame finds the state that the one before leaves (:func:`state_of`).
  Where they do not, the scene is drawn again, step by step.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from manim.animation import (
    composition,
    creation,
    fading,
    growing,
    indication,
    rotation,
    transform,
    transform_matching_parts,
)
from manim.animation.animation import Animation, Wait
from manim.mobject.mobject import Mobject
from manim.mobject.types.vectorized_mobject import VMobject
from manim.mobject.value_tracker import ValueTracker
from manim.scene.scene import Scene

from manimcast.engine.parallel.plain import is_plain

SOURCES = {
    composition: "d561bcb11c2aedac32b2ce90314c46332e6b0a999583485da77c3190cdda48ef",
    creation: "f37450b2b7072c4e0b869681b8c48659e4ed18e39bef03c4cae2316676eafff0",
    fading: "32a7a29cd27383db8875c625c2d279c2a58ce9013d024eb3a5d4bcefd27d3c16",
    growing: "24830bd5aecf87c8529594459fbb1b94c2a43260e0c200740c40de234a2c50e8",
    indication: "a53ae9130bcafb11b795e594a3c3c563869495a7a0b6f153be312d7df3f974c5",
    rotation: "e6acb16896d715c2534f2f5a25655926ffda1f5137e79313e20fe469b5198c4b",
    transform: "54f719428e4fb306c5b6252bca035d2197ab4e6a617223f5399849db92ea95bf",
    transform_matching_parts: "26b6045c59a86b95abca4fff655e003b1b4ed84a9797850d0ee417d054aa4765",
}
"""The modules whose animations were looked at, with the SHA-256 of their source in Manim 0.22; a test compares."""

GROUPS = (composition.AnimationGroup, composition.LaggedStart, composition.LaggedStartMap)
PURE = frozenset(
    {
        *GROUPS,
        creation.Create,
        creation.DrawBorderThenFill,
        creation.ShowIncreasingSubsets,
        creation.ShowPartial,
        creation.SpiralIn,
        creation.Uncreate,
        creation.Write,
        fading.FadeIn,
        fading.FadeOut,
        growing.GrowArrow,
        growing.GrowFromCenter,
        growing.GrowFromEdge,
        growing.GrowFromPoint,
        growing.SpinInFromNothing,
        indication.FocusOn,
        indication.Indicate,
        indication.ShowPassingFlash,
        rotation.Rotate,
        rotation.Rotating,
        transform.ApplyComplexFunction,
        transform.ApplyFunction,
        transform.ApplyMatrix,
        transform.ApplyMethod,
        transform.ApplyPointwiseFunction,
        transform.ApplyPointwiseFunctionToCenter,
        transform.ClockwiseTransform,
        transform.CounterclockwiseTransform,
        transform.CyclicReplace,
        transform.FadeToColor,
        transform.FadeTransform,
        transform.FadeTransformPieces,
        transform.MoveToTarget,
        transform.ReplacementTransform,
        transform.Restore,
        transform.ScaleInPlace,
        transform.ShrinkToCenter,
        transform.Swap,
        transform.Transform,
        transform.TransformFromCopy,
        transform._MethodAnimation,
        transform_matching_parts.TransformMatchingShapes,
        transform_matching_parts.TransformMatchingTex,
    }
)
"""Animations whose state at a time is computed from the states at both ends, and nothing else."""

KEPT = frozenset(
    {
        "__annotations__",
        "__doc__",
        "__firstlineno__",
        "__init__",
        "__module__",
        "__qualname__",
        "__static_attributes__",
        "_original__init__",
        "animation_overrides",
    }
)
"""What a class of the scene's own may have of its own and still move as Manim's do: it is all that runs before."""


ATTRIBUTES = frozenset({"rate_func", "path_func"})
"""Functions that an animation has as attributes, though its class may have them, too."""


STEPPED_BY = {
    name: getattr(Scene, name) for name in ("update_to_time", "update_mobjects", "update_meshes", "update_self")
}
"""What Manim calls for each frame. A scene with others of its own may do anything there."""


def is_pure(scene: Scene) -> bool:
    """Return whether what the play that ``scene`` has compiled shows at a time is a function of that time."""
    if scene.stop_condition is not None or scene.updaters or scene.meshes or scene.always_update_mobjects:
        return False
    if any(getattr(type(scene), name) is not own or name in vars(scene) for name, own in STEPPED_BY.items()):
        return False
    leaves = list(_leaves(scene.animations or ()))
    if not all(_is_pure_animation(animation) for animation in _all(scene.animations or ())):
        return False
    moved: set[int] = set()
    for animation in leaves:
        family = {id(member) for member in animation.mobject.get_family()}
        if moved & family:
            return False
        moved |= family
        for mobject in animation.get_all_mobjects():
            if not all(_is_pure_mobject(member) for member in _family(mobject)):
                return False
    camera = scene.renderer.camera
    others = [*scene.get_mobject_family_members(), *_of_camera(camera)]
    return not any(member.updaters for member in others)


def state_of(scene: Scene) -> str:
    """Return a digest of all that the animations of the play can change and the camera can see."""
    found = hashlib.blake2b(digest_size=16)
    for mobject in _seen(scene):
        found.update(type(mobject).__name__.encode())
        found.update(_bytes(mobject.points))
        if isinstance(mobject, VMobject):
            for name in ("fill_rgbas", "stroke_rgbas", "background_stroke_rgbas"):
                found.update(_bytes(getattr(mobject, name, None)))
            style = (
                mobject.stroke_width,
                mobject.background_stroke_width,
                mobject.sheen_factor,
                mobject.z_index,
                len(mobject.submobjects),
            )
            found.update(_bytes([float(number) for number in style]))  # 0 and 0.0 are drawn alike
            found.update(_bytes(np.asarray(mobject.sheen_direction)))
    return found.hexdigest()


def _is_pure_animation(animation: Animation) -> bool:
    if type(animation) is Wait:
        return animation.stop_condition is None
    kind = _of_manim(type(animation))
    if kind not in PURE:
        return False
    functions: Iterable[Callable[..., Any]] = (animation.rate_func, getattr(animation, "path_func", None) or abs)
    return all(is_plain(function) for function in functions) and not _own_methods(animation)


def _is_pure_mobject(mobject: Mobject) -> bool:
    known = isinstance(mobject, VMobject | ValueTracker) or len(mobject.points) == 0
    if not known or mobject.updaters:
        return False
    kind = type(mobject)
    return _is_manims(kind) or _of_manim(kind) is not None


def _of_manim(kind: type) -> type | None:
    """Return Manim's class behind ``kind``: itself, or the one that it derives from without changing how it moves."""
    for cls in kind.__mro__:
        if _is_manims(cls):
            return cls
        if any(
            name in Mobject.__dict__ or name in Animation.__dict__ or name in VMobject.__dict__
            for name in _changed(cls)
        ):
            return None
    return None


@functools.cache
def _changed(cls: type) -> tuple[str, ...]:
    return tuple(name for name in cls.__dict__ if name not in KEPT)


def _is_manims(cls: type) -> bool:
    return cls.__module__.startswith("manim.")


def _own_methods(animation: Animation) -> bool:
    """Return whether the scene put functions of its own in the place of methods of this one animation."""
    return any(
        name in vars(animation) for name in ("interpolate", "interpolate_mobject", "interpolate_submobject", "finish")
    )


def _all(animations: Iterable[Animation]) -> Iterator[Animation]:
    for animation in animations:
        yield animation
        if isinstance(animation, composition.AnimationGroup):
            yield from _all(animation.animations)


def _leaves(animations: Iterable[Animation]) -> Iterator[Animation]:
    return (animation for animation in _all(animations) if not isinstance(animation, composition.AnimationGroup))


def _seen(scene: Scene) -> Iterator[Mobject]:
    done: set[int] = set()
    played: Iterator[Any] = (animation.mobject for animation in _leaves(scene.animations or ()))
    for top in (*scene.mobjects, *scene.foreground_mobjects, *played, *_of_camera(scene.renderer.camera)):
        if id(top) in done:
            continue
        for member in _family(top):
            if id(member) not in done:
                done.add(id(member))
                yield member


def _family(mobject: Any) -> list[Mobject]:
    family: list[Mobject] = mobject.get_family()
    return family


def _of_camera(camera: Any) -> list[Mobject]:
    frame = getattr(camera, "frame", None)
    trackers = camera.get_value_trackers() if hasattr(camera, "get_value_trackers") else []
    center = getattr(camera, "_frame_center", None)
    return [part for part in (frame, center, *trackers) if isinstance(part, Mobject)]


def _bytes(array: Any) -> bytes:
    return b"" if array is None else np.ascontiguousarray(array).tobytes()
