"""What is Manim's own and what somebody has changed: only the former is drawn natively.

A scene may subclass, replace methods of a class, or put a function into a single mobject. The native code reads
attributes and does what Manim's methods do, so it is only used where nothing else would have been called.
"""

from __future__ import annotations

from typing import Any, Final

from manim.camera import three_d_camera
from manim.camera.camera import Camera
from manim.camera.three_d_camera import ThreeDCamera
from manim.mobject.mobject import Mobject
from manim.mobject.three_d import three_d_utils
from manim.mobject.types.vectorized_mobject import VMobject

PATH, CENTER, FAMILY = 1, 2, 4
"""What a class of mobjects is plain in, as bits: how it is drawn, where its middle is, what belongs to it."""

_PATH_METHODS = (
    "get_anchors",
    "get_background_image",
    "get_end_anchors",
    "get_fill_rgbas",
    "get_gradient_start_and_end_points",
    "get_num_points",
    "get_start_anchors",
    "get_stroke_rgbas",
    "get_stroke_width",
    "get_subpath_split_indices_from_points",
    "consider_points_equals_2d",
)
_CENTER_METHODS = (
    "get_center",
    "get_critical_point",
    "get_edge_center",
    "get_extremum_along_dim",
    "get_points_defining_boundary",
    "get_sheen_direction",
    "get_z_index_reference_point",
)
_FAMILY_METHODS = ("_iter_family", "family_members_with_points", "get_family", "get_num_points")
_ALWAYS = ("__eq__", "__hash__", "__getattr__", "__getattribute__")
_ATTRIBUTES = (
    "background_image",
    "background_stroke_rgbas",
    "background_stroke_width",
    "cap_style",
    "dim",
    "fill_rgbas",
    "joint_type",
    "n_points_per_cubic_curve",
    "points",
    "shade_in_3d",
    "sheen_direction",
    "stroke_rgbas",
    "stroke_width",
    "submobjects",
    "tolerance_for_point_equality",
    "z_index",
    "z_index_group",
)

GRADIENT: Final = "get_gradient_start_and_end_points"
"""A method that Manim itself replaces, in parts of axes (:mod:`.axes`). It counts only where there is a gradient."""
OVERRIDES: Final = tuple(sorted({*_PATH_METHODS, *_CENTER_METHODS, *_FAMILY_METHODS} - {GRADIENT}))
"""Names that make a mobject its own when they stand in its dictionary."""

_CAMERA_METHODS = (
    "apply_fill",
    "apply_stroke",
    "display_multiple_non_background_colored_vmobjects",
    "display_multiple_vectorized_mobjects",
    "display_vectorized",
    "get_fill_rgbas",
    "get_stroke_rgbas",
    "set_cairo_context_color",
    "set_cairo_context_path",
    "transform_points_pre_display",
    "type_or_raise",
)
_SPACE_METHODS = (
    "frame_center",
    "get_focal_distance",
    "get_rotation_matrix",
    "get_zoom",
    "modified_rgbas",
    "project_point",
    "project_points",
)
_MISSING: Final = object()

_mobject: dict[str, Any] = {}
_vmobject: dict[str, Any] = {}
_flat: dict[str, Any] = {}
_space: dict[str, Any] = {}
_functions: dict[tuple[Any, str], Any] = {}


def learn() -> None:
    """Take what Manim's classes have now for Manim's own: after the engine's patches, before any scene's code."""
    _mobject.update(_members(Mobject, (*_FAMILY_METHODS, *_ALWAYS)))
    _vmobject.update(_members(VMobject, (*_PATH_METHODS, *_CENTER_METHODS, *_FAMILY_METHODS, *_ALWAYS)))
    _flat.update(_members(Camera, _CAMERA_METHODS))
    _space.update(_members(ThreeDCamera, (*_CAMERA_METHODS, *_SPACE_METHODS)))
    for module, names in (
        (three_d_camera, [name for name in vars(three_d_camera) if name.startswith(("get_3d_", "get_shaded"))]),
        (three_d_utils, ["get_unit_normal"]),
    ):
        _functions.update({(module, name): getattr(module, name) for name in names})


def judge(cls: type[Any]) -> int:
    """Return what ``cls`` is plain in: a sum of :data:`PATH`, :data:`CENTER` and :data:`FAMILY`."""
    if any(_shadows(cls, name) for name in _ATTRIBUTES):
        return 0
    if issubclass(cls, VMobject):
        own, flags = _vmobject, FAMILY
        flags += PATH * _has(cls, own, _PATH_METHODS) + CENTER * _has(cls, own, _CENTER_METHODS)
    elif issubclass(cls, Mobject):
        own, flags = _mobject, FAMILY
    else:
        return 0
    return flags if _has(cls, own, (*_FAMILY_METHODS, *_ALWAYS)) else 0


def is_flat(camera: Camera) -> bool:
    """Whether ``camera`` draws as :class:`~manim.camera.camera.Camera` does, wherever it stands."""
    return _has(type(camera), _flat, _CAMERA_METHODS) and _flat.keys().isdisjoint(vars(camera))


def is_space(camera: Camera) -> bool:
    """Whether ``camera`` draws as :class:`~manim.camera.three_d_camera.ThreeDCamera` does."""
    return (
        isinstance(camera, ThreeDCamera)
        and _has(type(camera), _space, _space.keys())
        and _space.keys().isdisjoint(vars(camera))
        and all(getattr(module, name) is function for (module, name), function in _functions.items())
    )


def _members(cls: type[Any], names: Any) -> dict[str, Any]:
    return {name: getattr(cls, name, _MISSING) for name in names}


def _has(cls: type[Any], own: dict[str, Any], names: Any) -> bool:
    return all(getattr(cls, name, _MISSING) is own[name] for name in names)


def _shadows(cls: type[Any], name: str) -> bool:
    """Whether reading ``name`` of an object could run code although the object has it: a property, for instance."""
    return hasattr(type(getattr(cls, name, None)), "__set__")
