"""The structure of an SVG as svgelements sees it, for what text and formulas are made of.

Pango, through cairo, and dvisvgm write a narrow sort of SVG: groups, definitions, paths, uses of them, rectangles,
plain styles, no transformations. For that sort :func:`read` gives the elements in the order and nesting of
``svgelements.SVG.parse``, without reading a path; for any other it gives ``None``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import svgelements as se

PIXELS_PER_INCH = 96.0
SIDE = 1000
"""svgelements' size of a picture that names none; Manim takes the picture's own size off before it is read."""

STYLE = (
    *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-opacity", "stroke-width"),
    *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity"),
)
_EVERYWHERE = frozenset({"id", "style", *STYLE})
_HREF = "{http://www.w3.org/1999/xlink}href"
_OWN = {
    "g": frozenset[str](),
    "defs": frozenset[str](),
    "symbol": frozenset({"overflow"}),
    "path": frozenset({"d"}),
    "rect": frozenset({"x", "y", "width", "height"}),
    "use": frozenset({"x", "y", _HREF}),
}
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_SMALL = 1e-4
"""Python writes smaller numbers with an exponent, and svgelements reads what Python writes."""

Values = dict[str, Any]


@dataclass
class Element:
    """One element: a container, a path, a rectangle, or something that only has a name (a symbol).

    ``values`` are the inherited and own attributes of a path or rectangle, as svgelements would have them, ``shift``
    is the translation among them.
    """

    kind: str
    name: str | None
    values: Values
    shift: tuple[float, float] = (0.0, 0.0)
    children: list[Element] = field(default_factory=list)

    @property
    def style(self) -> tuple[Any, ...]:
        """What decides how a path looks."""
        return tuple(self.values.get(name) for name in STYLE)

    def as_svgelements(self) -> se.Shape | None:
        """Return the path or rectangle as svgelements makes it, or ``None`` where it leaves it out."""
        values = dict(self.values)
        if self.kind == "path":
            shape: se.Shape = se.Path(values, pathd_loaded=True)
            shape.parse(values.get("d"))
        else:
            shape = se.Rect(values)
        shape.render(ppi=PIXELS_PER_INCH, width=SIDE, height=SIDE)
        shape.reify()
        return None if shape.is_degenerate() else shape


class _UnknownError(Exception):
    """There is something in the picture that only svgelements reads right."""


def read(root: ET.Element) -> Element | None:
    """Return the root element of an SVG, or ``None`` when it is of another sort."""
    if root.tag != "svg" or root.attrib:
        return None
    named = {node.attrib["id"]: node for node in root.iter() if "id" in node.attrib}
    values: Values = {"color": "black", "fill": "black", "stroke": "none", "tag": "svg", "attributes": {"tag": "svg"}}
    try:
        children = [made for node in root for made in _elements(node, values, (0.0, 0.0), named, used=False)]
    except _UnknownError:
        return None
    return Element("container", None, values, children=children)


def _elements(
    node: ET.Element, inherited: Values, shift: tuple[float, float], named: dict[str, ET.Element], *, used: bool
) -> Iterator[Element]:
    tag = node.tag.removeprefix(_NAMESPACE) if isinstance(node.tag, str) else ""
    own = _OWN.get(tag)
    if own is None or not (node.attrib.keys() <= _EVERYWHERE | own):
        raise _UnknownError
    if tag == "defs":
        return
    attributes = _attributes(node, tag)
    name = attributes.get("id")
    values = {key: value for key, value in inherited.items() if key != "id"}
    values.update(attributes)
    values["attributes"] = attributes
    if tag in ("path", "rect"):
        if len(node):
            raise _UnknownError
        yield Element(tag, name, values, shift)
    elif tag == "g":
        if used:
            raise _UnknownError
        children = [made for child in node for made in _elements(child, values, shift, named, used=False)]
        yield Element("container", name, values, children=children)
    elif tag == "symbol":
        yield Element("symbol", name, values)
        for child in node:
            yield from _elements(child, values, shift, named, used=used)
    else:
        if used or len(node):
            raise _UnknownError
        x, y = _coordinate(values.pop("x", "0")), _coordinate(values.pop("y", "0"))
        if x or y:
            values["transform"] = f"translate({x}, {y})"
        target = named.get(node.attrib.get(_HREF, "#")[1:])
        children = [] if target is None else list(_elements(target, values, (x, y), named, used=True))
        yield Element("container", name, values, children=children)


def _attributes(node: ET.Element, tag: str) -> Values:
    attributes: Values = dict(node.attrib)
    attributes["tag"] = tag
    for declaration in attributes.get("style", "").split(";"):
        halves = declaration.split(":")
        if len(halves) == 2:
            key = halves[0].strip()
            if key not in STYLE:
                raise _UnknownError
            attributes[key] = halves[1].strip()
    if "currentColor" in attributes.values():
        raise _UnknownError
    return attributes


def _coordinate(text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None or 0 < abs(value) < _SMALL or abs(value) >= SIDE * SIDE:
        raise _UnknownError
    return value + 0.0  # not -0.0
