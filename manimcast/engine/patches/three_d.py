"""Three dimensions: which face lies in front is found out natively; drawing and shading are part of :mod:`.camera`."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim.camera.three_d_camera import ThreeDCamera
from manim.mobject.mobject import Mobject
from manim.mobject.three_d import three_d_utils
from manim.utils import space_ops
from manim.utils.color import core

from manimcast.engine import native
from manimcast.engine.patches import plain, summation
from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.camera.three_d_camera.ThreeDCamera.get_mobjects_to_display",
        ThreeDCamera.get_mobjects_to_display,
        "92f28e154089c75e1838c46ebc04a1189baad8ae67341dc2e20b7a6c17b1863b",
        "It finds the middle of each face in Python.",
    ),
    *(
        Patch(f"manim.camera.three_d_camera.ThreeDCamera.{method.__name__}", method, digest, "Done natively.")
        for method, digest in (
            (ThreeDCamera.modified_rgbas, "958d55b97ae358640182c23dd9583b210daaab6e11256ffa4f590e2da9fe636f"),
            (ThreeDCamera.get_fill_rgbas, "3cb3b656bbd535cef55db14efd122c0afdeac718dd9a15a69cf6d4f895148988"),
            (ThreeDCamera.get_stroke_rgbas, "6b13697af8eed12bca8967f4989f6dd4ce033744cdca266c45aebf4efd4ab113"),
            (ThreeDCamera.project_points, "044adac4f5e28fa28e94e42c9f4a46845bf26d14f6de99e6d2e7f74c02cbb665"),
            (
                ThreeDCamera.transform_points_pre_display,
                "c6b6abd4df8363ea5ba1e62e0d78f52372898b8b307a8b452a7b778d96f8a6d5",
            ),
        )
    ),
    *(
        Patch(f"{function.__module__}.{function.__name__}", function, digest, "Done natively.")
        for function, digest in (
            (
                three_d_utils.get_3d_vmob_gradient_start_and_end_points,
                "6ad77dfc57c7bddc3439692495975b7fb1889c1dded9c6b5472d76a2bbaa632c",
            ),
            (
                three_d_utils.get_3d_vmob_start_corner,
                "017e91c5458635a7526b17b2fd65d7dbdd9cac9458b00333f75c6154c293225a",
            ),
            (
                three_d_utils.get_3d_vmob_end_corner_index,
                "656e62dc524ea445bd32d996d3f9d38980a41d8b5808c4515d6f9ba7056cb1d3",
            ),
            (three_d_utils.get_3d_vmob_end_corner, "df179f8422d65d9999e44aa65d0912cea98cb7c83952a7b27de2a9947bd8e8a5"),
            (three_d_utils.get_3d_vmob_unit_normal, "f529ab9d7d620442be3ca8a32dd759b3ab5c238132bb9d3d7c78f158e3404c55"),
            (core.get_shaded_rgb, "2831cbb497535156f934a927b92f54cd576ded3a914cd7ab8b3948083a9148dd"),
            (space_ops.normalize, "7ad6b2829aa4df2caf10b731d23cde5794e9ab1bd2cb94f99647703c4988b89e"),
            (space_ops.get_unit_normal, "e635c8df865c374546a1bd6930aeb87173cb84c1c05947a50a32b6274084a1ba"),
            (space_ops.cross, "791365ddfed6997ba4f3c64e1d83379faef90a029946bfd5400aef55f4d7ad2f"),
        )
    ),
)

_original_get_mobjects_to_display = ThreeDCamera.get_mobjects_to_display


def install() -> None:
    """Put the patch in place, where there is a native part."""
    if native.library is not None:
        ThreeDCamera.get_mobjects_to_display = _get_mobjects_to_display  # type: ignore[method-assign]


def _get_mobjects_to_display(self: ThreeDCamera, *args: Any, **kwargs: Any) -> list[Mobject]:
    sums = summation.formulas()
    rotation = vars(self).get("rotation_matrix")
    if sums is None or type(rotation) is not np.ndarray or not plain.is_space(self):
        return _original_get_mobjects_to_display(self, *args, **kwargs)
    mobjects: list[Mobject] = super(ThreeDCamera, self).get_mobjects_to_display(*args, **kwargs)
    depths = native.library.depths(mobjects, tuple(rotation[2].tolist()), sums.vector, plain.judge, {}, plain.OVERRIDES)
    if depths is None:
        return _original_get_mobjects_to_display(self, *args, **kwargs)
    return [mobjects[index] for index in sorted(range(len(mobjects)), key=depths.__getitem__)]
