"""What a frame shows, as a digest: two frames with the same one have the same pixels, so one segment does for both.

The digest is over all that Manim's Cairo cameras read while they draw: paths, colours, widths and their order, point
clouds, pictures, where the camera stands, what lies behind. What is only computed from those (shading, projection, the
order in depth) is not, and need not be. It is made of the objects as they stand, without drawing; it takes a fraction
of the time that drawing takes.

Whatever is not known for certain has no digest, and is drawn: cameras other than :data:`CAMERAS`, paths that are filled
with a picture, objects and cameras with ways of their own to be drawn, and everything once the scene has put something
in the place of Manim's own functions (:func:`remember`). A scene that goes further out of its way can still have a
digest that is not true. It then deceives the renders of its own tenant, and nobody else.
"""

from __future__ import annotations

import hashlib
import itertools
import operator
import struct
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from manim import config
from manim.camera.camera import Camera
from manim.camera.moving_camera import MovingCamera
from manim.camera.three_d_camera import ThreeDCamera
from manim.constants import CapStyleType, LineJointType
from manim.mobject.mobject import Mobject
from manim.mobject.types.image_mobject import AbstractImageMobject, ImageMobject
from manim.mobject.types.point_cloud_mobject import PMobject
from manim.mobject.types.vectorized_mobject import VMobject
from manim.utils.family import extract_mobject_family_members

from manimcast.engine import native
from manimcast.engine.patches import families, plain
from manimcast.engine.patches.axes import codes_of_shading
from manimcast.engine.patches.published import is_private

LAYOUT = 2
"""Of the digest; to be changed with it."""
CAMERAS = (Camera, MovingCamera, ThreeDCamera)

MODULES = (
    "manim.camera.camera",
    "manim.camera.moving_camera",
    "manim.camera.three_d_camera",
    "manim.mobject.mobject",
    "manim.mobject.three_d.three_d_utils",
    "manim.mobject.types.image_mobject",
    "manim.mobject.types.point_cloud_mobject",
    "manim.mobject.types.vectorized_mobject",
    "manim.utils.color.core",
    "manim.utils.family",
    "manim.utils.space_ops",
)
"""Where all that draws is defined."""

DRAWN_BY = {
    VMobject: (
        "consider_points_equals_2d",
        "family_members_with_points",
        "get_background_image",
        "get_center",
        "get_edge_center",
        "get_family",
        "get_fill_rgbas",
        "get_gradient_start_and_end_points",
        "get_num_points",
        "get_sheen_direction",
        "get_stroke_rgbas",
        "get_stroke_width",
        "get_subpath_split_indices_from_points",
        "get_z_index_reference_point",
    ),
    PMobject: ("family_members_with_points", "get_center", "get_family", "get_z_index_reference_point"),
    ImageMobject: ("family_members_with_points", "get_family", "get_pixel_array"),
}
"""Methods that are called on an object while it is drawn. One that has another in their place has no digest."""

_SHADED = plain.GRADIENT
_SHADED_BY = frozenset(codes_of_shading())

_NUMBERS = struct.Struct("<3d4i")
_SHAPE = struct.Struct("<4xII")  # begins as no name of a type does
_DOUBLE = np.dtype(np.float64)
_ARRAYS = ("points", "rgbas", "fill_rgbas", "stroke_rgbas", "background_stroke_rgbas")
_READ = (
    "background_image",
    "background_stroke_width",
    "cap_style",
    "joint_type",
    "n_points_per_cubic_curve",
    "shade_in_3d",
    "stroke_width",
    "submobjects",
    "tolerance_for_point_equality",
)
_REPLACED = DRAWN_BY[VMobject]
_JOINTS = tuple((style, style.value) for style in LineJointType)
_CAPS = tuple((style, style.value) for style in CapStyleType)
_CLEAR = np.zeros((1, 4))
"""What Manim takes for a colour that was never set."""
_remembered: dict[tuple[Any, str], Any] = {}
_spaces: list[tuple[Mapping[str, Any], list[Any]]] = []
"""Modules and classes, with the values that they had."""


class UnknownError(Exception):
    """What is drawn is not known for certain."""


def remember() -> None:
    """Take note of Manim's own functions, to notice later what was put in their place. Before any code of a scene."""
    if not _remembered:
        _remembered.update(((owner, name), value) for owner, name, value in _functions())
        modules = [vars(sys.modules[name]) for name in MODULES]
        kinds = [vars(value) for name in MODULES for value in vars(sys.modules[name]).values() if _is_of(value, name)]
        _spaces.extend((space, list(space.values())) for space in (*modules, *kinds))


def is_untouched() -> bool:
    """Return whether everything that draws is what it was when it was remembered."""
    if _remembered and all(_same(space, then) for space, then in _spaces):
        return True
    return bool(_remembered) and all(_remembered.get((owner, name)) is value for owner, name, value in _functions())


def _same(space: Mapping[str, Any], then: list[Any]) -> bool:
    """Return whether ``space`` has the values that it had then, which takes a tenth of looking at each by its name."""
    return len(space) == len(then) and all(map(operator.is_, space.values(), then))


def _is_of(value: Any, module: str) -> bool:
    return isinstance(value, type) and value.__module__ == module


def _functions() -> Iterator[tuple[Any, str, Any]]:
    """Yield each function, class and method of :data:`MODULES` with its owner and name."""
    for module in MODULES:
        for name, value in list(vars(sys.modules[module]).items()):
            if callable(value) and not name.startswith("__"):
                yield module, name, value
                if _is_of(value, module):
                    for inner, part in list(vars(value).items()):
                        if callable(part) or hasattr(part, "__get__"):
                            yield f"{module}.{name}", inner, part


class Sight:
    """What one camera sees during one play.

    Raises :class:`UnknownError` when it is not a camera whose pictures are known to be decided by what is looked at
    here.
    """

    def __init__(self, camera: Camera) -> None:
        own = vars(camera)
        if type(camera) not in CAMERAS or not is_untouched() or any(callable(value) for value in own.values()):
            raise UnknownError
        self._camera = camera
        self._plain: dict[type, bool] = {}
        self._judged: dict[type, int] = {}
        self._shaded: dict[tuple[int, ...], list[bytes]] = {}
        self._fixed = _digest([b"camera", type(camera).__name__.encode(), repr(_fixed_settings(camera)).encode()])

    def background(self) -> bytes:
        """Return the digest of a frame in which nothing is drawn yet."""
        pixels = vars(self._camera).get("background")  # to read the attribute itself is noticed
        if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3:
            raise UnknownError
        known, digest = _backgrounds.get(id(self._camera), (None, b""))
        if known is not pixels or not is_private(pixels):
            digest = _background(pixels)
            _backgrounds[id(self._camera)] = pixels, digest
        return digest

    def frame(self, mobjects: Iterable[Mobject], behind: bytes) -> bytes:
        """Return the digest of ``mobjects``, drawn on the frame whose digest is ``behind``."""
        camera = self._camera
        self._shaded.clear()
        mobjects = list(mobjects)
        seen = families.members_with_points(mobjects, by_z_index=camera.use_z_index)
        if seen is None:
            seen = extract_mobject_family_members(mobjects, use_z_index=camera.use_z_index, only_those_with_points=True)
        head = [b"frame", self._fixed, behind, *_position(camera)]
        nailed = _nailed(camera)
        if native.library is None:
            return _digest([*head, *itertools.chain.from_iterable(map(self._object, seen))])
        lengths, content = native.library.sight(
            seen, _judge, self._judged, _REPLACED, _JOINTS, _CAPS, nailed, self._object
        )
        return _digest_of(_lengths(head) + lengths, b"".join((*head, content)))

    def _object(self, mobject: Mobject) -> list[bytes]:
        if isinstance(mobject, VMobject):
            own = self._check(mobject, VMobject)
            parts = _path(mobject)
            if own:
                parts += self._shading(own)
        elif isinstance(mobject, PMobject):
            self._check(mobject, PMobject)
            parts = [b"points", _array(mobject.points), _array(mobject.rgbas), repr(mobject.stroke_width).encode()]
        elif isinstance(mobject, AbstractImageMobject):
            self._check(mobject, ImageMobject)
            pixels, how = _array(mobject.get_pixel_array()), repr(mobject.resampling_algorithm).encode()
            parts = [b"image", _array(mobject.points), pixels, how]
        else:
            return []  # is never drawn
        if isinstance(self._camera, ThreeDCamera):
            parts += _in_space(mobject, self._camera)
        return parts

    def _shading(self, function: types.FunctionType) -> list[bytes]:
        """Return from where to where an axis in space is shaded, which all that belongs to it asks for."""
        key = tuple(id(cell.cell_contents) for cell in function.__closure__ or ())
        if key not in self._shaded:
            self._shaded[key] = [b"shaded", *(_array(np.asarray(point)) for point in function())]
        return self._shaded[key]

    def _check(self, mobject: Mobject, kind: type[Mobject]) -> types.FunctionType | None:
        """Raise :class:`UnknownError` unless ``mobject`` is drawn as every object of the class ``kind``.

        Returns what :data:`_SHADED` is for a part of axes in space.
        """
        own = type(mobject)
        plain = self._plain.get(own)
        if plain is None:
            self._plain[own] = plain = _is_plain(own, kind)
        if not plain:
            raise UnknownError
        replaced = vars(mobject).keys() & DRAWN_BY[kind]
        if not replaced:
            return None
        function = vars(mobject).get(_SHADED)
        if replaced != {_SHADED} or getattr(function, "__code__", None) not in _SHADED_BY:
            raise UnknownError
        return cast("types.FunctionType", function)


def _is_plain(cls: type, kind: type) -> bool:
    """Whether objects of ``cls`` are drawn as those of ``kind`` are."""
    names = DRAWN_BY[kind]
    if not issubclass(cls, kind) or any(getattr(cls, name) is not getattr(kind, name) for name in names):
        return False
    return not any(hasattr(cls, name) for name in _ARRAYS)  # else what is read below is not what is drawn


def _judge(cls: type) -> int:
    """Return 1 if objects of ``cls`` can be read natively: what they are asked for stands in their dictionaries."""
    return int(
        _is_plain(cls, VMobject)
        and not hasattr(cls, "z_index_group")
        and not any(hasattr(type(getattr(cls, name, None)), "__set__") for name in _READ)
    )


def _nailed(camera: Camera) -> tuple[set[Mobject], dict[Mobject, Any]] | None:
    """Return what does not turn with a camera in space, None for another camera."""
    if not isinstance(camera, ThreeDCamera):
        return None
    in_frame, fixed = camera.fixed_in_frame_mobjects, camera.fixed_orientation_mobjects
    if type(in_frame) is not set or type(fixed) is not dict:
        raise UnknownError
    return in_frame, fixed


_backgrounds: dict[int, tuple[np.ndarray, bytes]] = {}
"""By the camera, the background that was looked at, and its digest. While nobody else has the array, it stays so."""


def _background(pixels: np.ndarray) -> bytes:
    if pixels.shape[2] == 4 and pixels.flags.c_contiguous:
        whole = pixels.view(np.uint32)
        if (whole == whole[0, 0]).all():
            return _digest([b"plain background", repr(pixels.shape).encode(), pixels[0, 0].tobytes()])
    return _digest([b"background", _array(pixels)])


def _fixed_settings(camera: Camera) -> tuple[object, ...]:
    return (
        LAYOUT,
        camera.pixel_width,
        camera.pixel_height,
        camera.n_channels,
        camera.image_mode,
        str(camera.pixel_array_dtype),
        int(camera.rgb_max_val),
        float(camera.cairo_line_width_multiple),
        bool(camera.use_z_index),
        config["pixel_width"],
        config["pixel_height"],
    )


def _position(camera: Camera) -> list[bytes]:
    """Where the camera stands. A still one keeps what it stood for when it drew first, whatever is set afterwards."""
    pixels: Any = camera.__dict__.get("pixel_array")
    context = camera.get_cached_cairo_context(pixels)
    width, height = camera.frame_width, camera.frame_height
    center = np.asarray(camera.frame_center, dtype=np.float64)
    matrix: tuple[float, ...]
    if context is not None:
        kept = context.get_matrix()
        matrix = (kept.xx, kept.yx, kept.xy, kept.yy, kept.x0, kept.y0)
    else:
        across, down = camera.pixel_width / width, camera.pixel_height / height
        matrix = (
            across,
            0.0,
            0.0,
            -down,
            camera.pixel_width / 2 - center[0] * across,
            camera.pixel_height / 2 + center[1] * down,
        )
    parts = [struct.pack("<8d", *matrix, width, height), _array(center)]
    if isinstance(camera, ThreeDCamera):
        trackers = [float(tracker.get_value()) for tracker in camera.get_value_trackers()]
        parts.append(struct.pack(f"<{len(trackers)}d", *trackers))
        parts.append(_array(camera.light_source.points))
        parts.append(bytes([bool(camera.should_apply_shading), bool(camera.exponential_projection)]))
    return parts


def _path(mobject: VMobject) -> list[bytes]:
    if mobject.background_image:
        raise UnknownError
    own = mobject.__dict__
    fill, stroke, behind = (own.get(name, _CLEAR) for name in ("fill_rgbas", "stroke_rgbas", "background_stroke_rgbas"))
    try:
        numbers = _NUMBERS.pack(
            mobject.stroke_width,
            mobject.background_stroke_width,
            mobject.tolerance_for_point_equality,
            mobject.joint_type.value,
            mobject.cap_style.value,
            mobject.n_points_per_cubic_curve,
            bool(mobject.shade_in_3d),
        )
    except (struct.error, AttributeError, TypeError, ValueError):
        raise UnknownError from None
    parts = [numbers, _array(mobject.points), _array(fill), _array(stroke), _array(behind)]
    if _SHADED not in own and not mobject.shade_in_3d and not len(fill) == len(stroke) == len(behind) == 1:
        parts += [_array(np.asarray(point)) for point in mobject.get_gradient_start_and_end_points()]
    return parts


def _in_space(mobject: Mobject, camera: ThreeDCamera) -> list[bytes]:
    """What a camera in space looks at besides: what is nailed to the picture, and what decides the order in depth."""
    fixed = mobject in camera.fixed_orientation_mobjects
    parts = [b"in space", bytes([mobject in camera.fixed_in_frame_mobjects, fixed])]
    if fixed:
        parts.append(_array(np.asarray(camera.fixed_orientation_mobjects[mobject]())))
    if getattr(mobject, "shade_in_3d", False):
        group = getattr(mobject, "z_index_group", mobject)
        if group is not mobject or mobject.submobjects:  # else it follows from its own points
            parts.append(_array(np.asarray(group.get_center())))
    return parts


def _array(array: Any) -> bytes:
    """Return an array as bytes that are no other array's."""
    if type(array) is not np.ndarray:
        raise UnknownError
    if array.dtype is _DOUBLE and array.ndim == 2:
        return _SHAPE.pack(*array.shape) + array.tobytes()
    if array.dtype.hasobject:
        raise UnknownError
    return f"{array.dtype.str}{array.shape}".encode() + array.tobytes()


def _digest(parts: Iterable[bytes]) -> bytes:
    parts = list(parts)
    return _digest_of(_lengths(parts), b"".join(parts))


def _digest_of(lengths: bytes, content: bytes) -> bytes:
    whole = hashlib.sha256(lengths)  # which processors have instructions for
    whole.update(content)
    return whole.digest()


def _lengths(parts: Sequence[bytes]) -> bytes:
    return struct.pack(f"<{len(parts)}Q", *map(len, parts))
