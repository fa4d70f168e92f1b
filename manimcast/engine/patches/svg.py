"""Shapes from SVG, which all text and all formulas are made of."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any
from xml.etree import ElementTree as ET

import svgelements as se
from manim import config
from manim.constants import RIGHT, CapStyleType, LineJointType, RendererType
from manim.mobject.mobject import Mobject
from manim.mobject.svg.svg_mobject import SVGMobject, VMobjectFromSVGPath
from manim.mobject.types.vectorized_mobject import VGroup, VMobject

from manimcast.engine import outlines, shapes
from manimcast.engine.moulds import Mould
from manimcast.engine.patches import copying
from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.svg.svg_mobject.VMobjectFromSVGPath.__init__",
        VMobjectFromSVGPath.__init__,
        "569e05f193dcd46011ae5a45b569a14cd0c37015d9a3ab07f1f8d49cbb0a01b7",
        "Each glyph keeps its parsed path, which nothing changes afterwards, and each animation copies it deeply: "
        "most of the time of scenes with much text.",
    ),
    Patch(
        "manim.mobject.svg.svg_mobject.SVGMobject.generate_mobject",
        SVGMobject.generate_mobject,
        "9b758944c36bc4620fb619cf0c5f81cb9fe5fe770c6b878c78e07d6f5043a7fc",
        "Upstream writes the SVG anew, has svgelements read each glyph's path at each place where it stands, and "
        "turns it into points one by one. Here each path is read once.",
    ),
    Patch(
        "manim.mobject.svg.svg_mobject.SVGMobject.get_mobjects_from",
        SVGMobject.get_mobjects_from,
        "df7165de96d16c27f30284a87aca1e7c1be188b723d3509a0e96c77e707a1b99",
        "Done again for what shapes.read gives, which has the same order, names and nesting.",
    ),
    Patch(
        "manim.mobject.svg.svg_mobject.SVGMobject.get_mob_from_shape_element",
        SVGMobject.get_mob_from_shape_element,
        "26f7073f67ede474aac4768bffe52ecb8bcec4bbc3a4a5be6c67a9faa6e871e2",
        "Called once for each style; what it makes then is the mould of all glyphs in that style.",
    ),
    Patch(
        "manim.mobject.svg.svg_mobject.VMobjectFromSVGPath.handle_commands",
        VMobjectFromSVGPath.handle_commands,
        "75c586b92ff3187bb3274fa277ec5a2c832945ff21c72ac89caa0bf282bceb4c",
        "Done again, with the same floats, in outlines.",
    ),
)

_original_svg_path_init = VMobjectFromSVGPath.__init__
_original_generate_mobject = SVGMobject.generate_mobject
_STEPS: dict[type, tuple[str, ...]] = {
    SVGMobject: (
        *("get_mobjects_from", "get_mob_from_shape_element", "path_to_mobject", "rect_to_mobject"),
        *("apply_style_to_mobject", "handle_transform"),
    ),
    VMobjectFromSVGPath: ("generate_points", "init_points", "handle_commands", "init_colors"),
    VMobject: (
        *("init_colors", "set_style", "set_fill", "set_stroke", "set_background_stroke", "set_sheen"),
        *("set_sheen_direction", "update_rgbas_array", "generate_rgbas_array", "generate_points", "init_points"),
    ),
    VGroup: ("add", "init_colors", "generate_points"),
    Mobject: ("apply_matrix", "shift", "add", "apply_points_function_about_point", "reset_points", "generate_points"),
}
"""What Manim calls on its way from an SVG to mobjects, and is not called here for each glyph."""

_stock: dict[type, tuple[Any, ...]] = {}
_moulds: dict[Hashable, Mould | None] = {}
_TRIANGLE = "M 0 0 L 1 0 L 0 1 Z"


def install() -> None:
    """Put the patches in place."""
    VMobjectFromSVGPath.__init__ = _svg_path_init  # type: ignore[method-assign]


def install_outlines() -> None:
    """Put the patches in place that read each glyph once."""
    SVGMobject.generate_mobject = _generate_mobject  # type: ignore[assignment, method-assign]
    VMobjectFromSVGPath.path_obj = _PathWhenAsked()
    _stock.update({owner: _steps_of(owner, owner) for owner in _STEPS})
    copying.stand_for_themselves(_UnreadPath)
    copying.copied_in_place("path_obj")


@functools.wraps(_original_svg_path_init)
def _svg_path_init(self: VMobjectFromSVGPath, path_obj: se.Path, *args: Any, **kwargs: Any) -> None:
    _original_svg_path_init(self, path_obj, *args, **kwargs)
    path_obj.__deepcopy__ = lambda _memo: path_obj


class _UnreadPath:
    """A glyph's path, which is read when somebody asks for it."""

    def __init__(self, element: shapes.Element) -> None:
        self._element = element
        self._path: se.Path | None = None

    def read(self) -> se.Path:
        """Return the path as svgelements makes it; it copies as itself, as those of other glyphs do."""
        if self._path is None:
            path: Any = self._element.as_svgelements()
            self._path = path
            path.approximate_arcs_with_quads()
            path.__deepcopy__ = lambda _memo: path
        return self._path

    def __deepcopy__(self, memo: dict[int, Any]) -> _UnreadPath:
        return self


class _PathWhenAsked:
    """``VMobjectFromSVGPath.path_obj``: the instance's own, unless it has not been read yet."""

    def __get__(self, mobject: VMobjectFromSVGPath | None, owner: type) -> Any:
        if mobject is None:
            raise AttributeError("path_obj")
        try:
            found = mobject.__dict__["path_obj"]
        except KeyError:
            raise AttributeError("path_obj") from None
        if isinstance(found, _UnreadPath):
            found = mobject.__dict__["path_obj"] = found.read()
        return found

    def __set__(self, mobject: VMobjectFromSVGPath, value: Any) -> None:
        mobject.__dict__["path_obj"] = value

    def __delete__(self, mobject: VMobjectFromSVGPath) -> None:
        del mobject.__dict__["path_obj"]


@functools.wraps(_original_generate_mobject)
def _generate_mobject(self: SVGMobject) -> SVGMobject:
    if config.renderer != RendererType.CAIRO or not _is_stock(type(self)):
        return _original_generate_mobject(self)
    tree = self.modify_xml_tree(ET.parse(self.get_file_path()))  # type: ignore[arg-type]  # noqa: S314  as upstream
    root = tree.getroot()
    picture = None if root is None else shapes.read(root)
    made = None if picture is None else _mobjects_from(self, picture)
    if made is None:
        return _original_generate_mobject(self)
    mobjects, self.id_to_vgroup_dict = made[0], made[1]
    self.add(*mobjects)
    self.flip(RIGHT)
    return self


def _is_stock(cls: type[SVGMobject]) -> bool:
    """Whether neither the class nor the scene has its own way with any step that is taken differently here."""
    return all(_steps_of(owner, cls if owner is SVGMobject else owner) == steps for owner, steps in _stock.items())


def _steps_of(owner: type, cls: type) -> tuple[Any, ...]:
    return tuple(getattr(cls, name, None) for name in _STEPS[owner])


def _mobjects_from(svg: SVGMobject, picture: shapes.Element) -> tuple[list[VMobject], dict[str, VGroup]] | None:
    """Do what ``SVGMobject.get_mobjects_from`` does; ``None`` when a path cannot be done here."""
    groups_made = _mould_of((VGroup.__init__, VMobject.__init__, Mobject.__init__), VGroup)
    result: list[VMobject] = []
    stack = [(picture, 1)]
    unnamed = 0
    open_groups = ["root"]
    groups: dict[str, VGroup] = {"root": _made(groups_made, VGroup)}
    while stack:
        element, depth = stack.pop()
        open_groups = open_groups[:depth]
        if element.name is not None:
            name = element.name
        else:
            name = f"numbered_group_{unnamed}"
            unnamed += 1
        open_groups.append(name)
        groups[name] = _made(groups_made, VGroup)
        if element.kind == "container":
            stack.extend((child, depth + 1) for child in reversed(element.children))
        elif element.kind != "symbol":
            outline = None
            if element.kind == "path":
                outline = outlines.outline_of(element.values.get("d", ""))
                if outline is None:
                    return None
            try:
                mobject = _mobject_of(svg, element, outline)
            except Exception:  # noqa: BLE001  Manim logs it, and goes on
                return None
            if mobject is not None:
                result.append(mobject)
                for parent in open_groups[:-1]:
                    groups[parent].add(mobject)
    return result, groups


def _mobject_of(svg: SVGMobject, element: shapes.Element, outline: outlines.Outline | None) -> VMobject | None:
    if outline is None:
        shape = element.as_svgelements()
        return None if shape is None else svg.get_mob_from_shape_element(shape)
    if len(outline) == 0:
        return None
    settings = svg.path_string_config
    mould = None
    if not settings:
        key = (element.style, VMobjectFromSVGPath.__init__, VMobject.__init__, Mobject.__init__)
        mould = _mould_of(key, lambda: _in_style(svg, element))
    if mould is None:
        return svg.get_mob_from_shape_element(element.as_svgelements())
    mobject = mould.make()
    mobject.points = outline.at(*element.shift)
    mobject.__dict__["path_obj"] = _UnreadPath(element)
    return mobject  # type: ignore[return-value]


def _in_style(svg: SVGMobject, element: shapes.Element) -> VMobject:
    """Have Manim make a triangle in the style of ``element``, without what differs from glyph to glyph."""
    triangle = shapes.Element("path", None, {**element.values, "d": _TRIANGLE})
    mobject = svg.get_mob_from_shape_element(triangle.as_svgelements())
    if mobject is None:
        raise TypeError("a triangle has points")
    mobject.__dict__["path_obj"] = None
    return mobject


def _mould_of(key: Hashable, make: Any) -> Mould | None:
    if key not in _moulds:
        try:
            _moulds[key] = Mould(make(), immutable=(LineJointType, CapStyleType))
        except TypeError:
            _moulds[key] = None
    return _moulds[key]


def _made(mould: Mould | None, cls: type[VGroup]) -> VGroup:
    return cls() if mould is None else mould.make()  # type: ignore[return-value]
