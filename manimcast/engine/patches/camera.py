"""How a camera draws: one native call for all vmobjects in a row, where that is the same as Manim's own way.

What Manim draws by other means (images, point clouds, shapes colored by an image, vmobjects or cameras with methods of
their own) it goes on drawing.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from typing import Any

from manim.camera.camera import Camera
from manim.constants import CapStyleType, LineJointType
from manim.mobject.mobject import Mobject
from manim.mobject.types.vectorized_mobject import VMobject
from manim.typing import PixelArray

from manimcast.engine import native
from manimcast.engine.patches import axes, families, frame, images, plain, view
from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.camera.camera.Camera.capture_mobjects",
        Camera.capture_mobjects,
        "958b8f23af48f900a4bca8a6eee38bb39de4aeff7a2e1ee3ba11ee5f370af526",
        "It asks each mobject for its kind, and makes the table of kinds anew each time.",
    ),
    Patch(
        "manim.camera.camera.Camera.get_mobjects_to_display",
        Camera.get_mobjects_to_display,
        "ef93088d70b3ca3fa42a9f4ba8a96e5253b430407d290572f91eef3f361fadd0",
        "It walks through families in Python.",
    ),
    Patch(
        "manim.camera.camera.Camera.display_multiple_vectorized_mobjects",
        Camera.display_multiple_vectorized_mobjects,
        "205babf413684d442f59ad23a7bdd8c8c22d6045bc5246145c323d5dba80a33e",
        "It asks each vmobject for the image that it is coloured by, which hardly any has.",
    ),
    Patch(
        "manim.camera.camera.Camera.display_multiple_non_background_colored_vmobjects",
        Camera.display_multiple_non_background_colored_vmobjects,
        "b0521f393123bb6f3c9d25462f8925d0ec17bc2bcb7f9ac75280ddc113d62834",
        "It calls cairo from Python, once for each curve.",
    ),
    Patch(
        "manim.camera.camera.Camera.display_multiple_background_colored_vmobjects",
        Camera.display_multiple_background_colored_vmobjects,
        "793f73ff85c59f9d692b41f674c6df0a4e1577fabd1915f90eb8a56fbe154cc6",
        "It writes all rows of the frame, which has to be noted.",
    ),
    *(
        Patch(f"manim.camera.camera.Camera.{method.__name__}", method, digest, "Done natively.")
        for method, digest in (
            (Camera.display_vectorized, "4d9d158f2a424050b8963cd554b5e86b5ad1c251ae7efee4e4aa631eab6a4357"),
            (Camera.set_cairo_context_path, "0e53e5837e78857d20178931c265487d10db6d8eb57c6784b6dee9feb4375dbf"),
            (Camera.set_cairo_context_color, "2c53d3a7c71e425077321fd329431338ea8db489e0de870b21e6c3758ac46d4c"),
            (Camera.apply_fill, "021a92466cd3f4930fb15d40785b9171da1db5b8d2acfd67a6dd1f3558f882bd"),
            (Camera.apply_stroke, "81447e68863efb9de798dc39e29fa207fc6e1fd8c004dcd28b02ec8fbe5fa726"),
            (Camera.transform_points_pre_display, "04eaaf6f29c6dd0a56798d398448c3d451555ca6c774b88dfc40d2765d8d4999"),
        )
    ),
    *(
        Patch(f"manim.mobject.types.vectorized_mobject.VMobject.{method.__name__}", method, digest, "Done natively.")
        for method, digest in (
            (VMobject.get_background_image, "89bcac6f3dadf13843b58401feb4889af6ff78455afa98c2cfe8890c183878f0"),
            (VMobject.get_fill_rgbas, "0a9fe898803109a6dee21b6878d0f6655f36f33c02c041b4907bf4b640d41ed1"),
            (VMobject.get_stroke_rgbas, "6661389968a68c3b9d38ce1ec1bc040f1a6d110efe26802b09d9db16e147cbc6"),
            (VMobject.get_stroke_width, "2c990262bbc9ff55c2026f4d04924be020fdb53fe6cf0be6f2af76335e2556bc"),
            (
                VMobject.get_subpath_split_indices_from_points,
                "f6390df4e1903191807df6181bb8e83ec09107d93cbd1962d7bc80b1e9ce8c24",
            ),
            (VMobject.consider_points_equals_2d, "921342a98a9f3dad670caf3e5a5469ede646079a9f9afe12aa77fed1708d7af9"),
            (
                VMobject.get_gradient_start_and_end_points,
                "8298c4e4b91f9c668e1a62408713aac496c5723f332e8bbf6bab45ceb29cd742",
            ),
            (VMobject.get_anchors, "570aac67257a511caf8e9a34e11a649bd4de323f0e5cd1264cbe5fc3ea1a9083"),
            (VMobject.get_points_defining_boundary, "13057979b204e9b663c283c3d37e857b9db75500b0d4db15b8335acb55dae0ad"),
        )
    ),
    *(
        Patch(f"manim.mobject.mobject.Mobject.{method.__name__}", method, digest, "Done natively.")
        for method, digest in (
            (Mobject.get_critical_point, "8f92263906777cc315c69ce12206f2859f669bc7b6ba4a131db2cc23ba16be97"),
            (Mobject.get_extremum_along_dim, "a23835c56ae1fd86b883aed8af3e2faf4879fc57239f9bfbb9150acfab11de40"),
            (Mobject.get_family, "d0b2953532b4380ab77417bd43b5bdc64dafbe958441a9fdcf9450f5dbde2789"),
            (Mobject._iter_family, "50a525fb52d55d4b7265dd49ecc24462f0b042735ce8199d82a73db6405455f9"),
            (Mobject.family_members_with_points, "fc69ac2726f2d19db2e5785f72daa86622157cd1efbe74fc91bd25e51dc38c26"),
        )
    ),
)

_original_get_mobjects_to_display = Camera.get_mobjects_to_display
_original_display_vectorized = Camera.display_multiple_vectorized_mobjects
_stock_background_image = VMobject.get_background_image
_original_display_plain = Camera.display_multiple_non_background_colored_vmobjects
_original_display_colored = Camera.display_multiple_background_colored_vmobjects
_upstream: Any = sys.modules[Camera.__module__]
_MARKED = (VMobject, Mobject)
"""Kinds of which what is drawn notes the rows that it is drawn on, or of which nothing is drawn."""
_original_extract = _upstream.extract_mobject_family_members


def install() -> None:
    """Put the patches in place, where there is a native part."""
    if native.library is None:
        return
    Camera.capture_mobjects = _capture_mobjects  # type: ignore[method-assign]
    Camera.get_mobjects_to_display = _get_mobjects_to_display  # type: ignore[method-assign]
    Camera.display_multiple_vectorized_mobjects = _display_vectorized  # type: ignore[method-assign]
    Camera.display_multiple_non_background_colored_vmobjects = _display_plain  # type: ignore[method-assign]
    Camera.display_multiple_background_colored_vmobjects = _display_colored  # type: ignore[method-assign]


def _capture_mobjects(self: Camera, mobjects: Iterable[Mobject], **kwargs: Any) -> None:
    kinds: dict[type[Mobject], type[Mobject]] = {}

    def kind(mobject: Mobject) -> type[Mobject]:
        cls = type(mobject)
        found = kinds.get(cls)
        if found is None:
            found = kinds[cls] = self.type_or_raise(mobject)
        return found

    shown = self.get_mobjects_to_display(mobjects, **kwargs)
    groups: Iterable[tuple[type[Mobject], Iterable[Mobject]]] = itertools.groupby(shown, kind)
    only = _only_kind(shown, kind) if type(shown) is list else None
    if only is not None:
        groups = ((only, shown),)
    for kind_of_group, group in groups:
        show = self.display_funcs[kind_of_group]
        if kind_of_group not in _MARKED and not images.are_marked(self, show):
            frame.mark_all(self)
        show(list(group), frame.pixels(self))


def _only_kind(mobjects: list[Mobject], kind: Callable[[Mobject], type[Mobject]]) -> type[Mobject] | None:
    """Return the kind of all of ``mobjects``; None where there are several, or some that cannot be drawn."""
    try:
        kinds = {kind(mobject) for mobject in {type(mobject): mobject for mobject in mobjects}.values()}
    except TypeError:
        return None
    return kinds.pop() if len(kinds) == 1 else None


def _get_mobjects_to_display(
    self: Camera,
    mobjects: Iterable[Mobject],
    include_submobjects: bool = True,
    excluded_mobjects: list[Mobject] | None = None,
) -> list[Mobject]:
    if include_submobjects and not excluded_mobjects and _upstream.extract_mobject_family_members is _original_extract:
        mobjects = list(mobjects)
        members = families.members_with_points(mobjects, by_z_index=self.use_z_index)
        if members is not None:
            return members
    return _original_get_mobjects_to_display(self, mobjects, include_submobjects, excluded_mobjects)


def _display_vectorized(self: Camera, vmobjects: list[VMobject], pixel_array: PixelArray) -> None:
    if vmobjects and not any(map(_may_have_an_image, vmobjects)):
        self.display_multiple_non_background_colored_vmobjects(vmobjects, pixel_array)
    else:
        _original_display_vectorized(self, vmobjects, pixel_array)


def _may_have_an_image(vmobject: VMobject) -> bool:
    attributes = vmobject.__dict__
    return (
        attributes.get("background_image", _original_extract) is not None
        or "get_background_image" in attributes
        or type(vmobject).get_background_image is not _stock_background_image
    )


def _display_plain(self: Camera, vmobjects: Iterable[VMobject], pixel_array: PixelArray) -> None:
    seen = view.flat(self) if plain.is_flat(self) else view.space(self)
    if seen is None:
        frame.mark_all(self)
        _original_display_plain(self, vmobjects, pixel_array)
        return
    context = self.get_cairo_context(pixel_array)
    vmobjects = list(vmobjects)
    known: dict[type, int] = {}
    ends = axes.AxisEnds()
    index = 0
    while index < len(vmobjects):
        index = native.library.draw(
            context,
            vmobjects,
            index,
            plain.judge,
            known,
            plain.OVERRIDES,
            tuple((style, int(_upstream.LINE_JOIN_MAP[style])) for style in LineJointType),
            tuple((style, int(_upstream.CAP_STYLE_MAP[style])) for style in CapStyleType),
            seen.line_width_multiple,
            pixel_array.shape[1],
            pixel_array.shape[0],
            frame.marks(self, pixel_array),
            seen.projection,
            ends,
        )
        if index < len(vmobjects):
            frame.mark_all(self)
            self.display_vectorized(vmobjects[index], context)
            ends.forget()
            index += 1


def _display_colored(self: Camera, cvmobjects: Iterable[VMobject], pixel_array: PixelArray) -> Any:
    frame.mark_all(self)
    return _original_display_colored(self, cvmobjects, pixel_array)
