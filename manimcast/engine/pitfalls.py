"""What Manim's OpenGL renderer gets wrong, found in the code that asks for it. The list is of Manim 0.22."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from manimcast.inspection import SceneWarning, WarningCode

FAILS = {
    "get_area": "get_area fails",
    "MovingCameraScene": "MovingCameraScene fails",
    "ZoomedScene": "ZoomedScene fails",
    "ImageMobject": "ImageMobject fails",
    "ManimBanner": "ManimBanner fails",
    "StreamLines": "StreamLines fails",
    "PointCloudDot": "PointCloudDot fails",
}
"""Names that end in an error."""
WRONG = {
    "LinearTransformationScene": "vectors of a LinearTransformationScene are drawn wrongly",
    "background_color": "the camera's background_color has no effect",
    **dict.fromkeys(
        ("Surface", "Sphere", "Cube", "Prism", "Cone", "Cylinder", "Torus", "Dot3D", "Arrow3D", "Line3D"),
        "the shading of solids is another",
    ),
}
"""Names that are drawn, but not as Cairo draws them."""
HINT = "Leave `engine` out: Manim's Cairo renderer draws this."


def opengl_pitfalls(code: str, scene: str) -> list[SceneWarning]:
    """Return a warning for each thing in ``code`` that ``scene`` may use and OpenGL gets wrong."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: dict[str, SceneWarning] = {}
    for name, line in _names(tree, scene):
        message = FAILS.get(name) or WRONG.get(name)
        if message and message not in found:
            found[message] = SceneWarning(
                code=WarningCode.opengl, message=f"With OpenGL, {message}.", line=line, hint=HINT
            )
    return list(found.values())


def _names(tree: ast.Module, scene: str) -> Iterator[tuple[str, int]]:
    """Yield the names that are used outside scenes that ``scene`` does not derive from, with their lines."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    scenes = {name for name in classes if _is_scene(name, classes)}
    others = scenes - _ancestry(scene, classes)
    for top in tree.body:
        if isinstance(top, ast.ClassDef) and top.name in others:
            continue
        for node in ast.walk(top):
            if isinstance(node, ast.Name):
                yield node.id, node.lineno
            elif isinstance(node, ast.Attribute):
                yield node.attr, node.lineno


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.id if isinstance(base, ast.Name) else base.attr for base in node.bases if _is_named(base)]  # type: ignore[attr-defined]


def _is_named(base: ast.expr) -> bool:
    return isinstance(base, ast.Name | ast.Attribute)


def _ancestry(name: str, classes: dict[str, ast.ClassDef]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in classes and current not in found:
            found.add(current)
            waiting += _bases(classes[current])
    return found


def _is_scene(name: str, classes: dict[str, ast.ClassDef]) -> bool:
    return any(base.endswith("Scene") for one in _ancestry(name, classes) for base in _bases(classes[one]))
