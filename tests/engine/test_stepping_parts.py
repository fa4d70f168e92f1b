"""Each patch of stepping gives what Manim's own function gives, to the last bit, on random input."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import svgelements as se
from hypothesis import given, settings
from hypothesis import strategies as st
from manim import RED, Circle, Dot, ManimColor, Mobject, Square, VGroup, VMobject
from manim.mobject.svg.svg_mobject import SVGMobject, VMobjectFromSVGPath

from manimcast.engine import shapes
from manimcast.engine.native import library
from manimcast.engine.outlines import outline_of
from manimcast.engine.patches import bounds, copying, families, lengths, matching, rotations, styles, text, updates
from tests.engine.stepping import describe

COORDINATES = st.floats(-1000, 1000, allow_nan=False).map(lambda value: round(value, 6))
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
NEAR = st.sampled_from((0.0, 1e-6, -1e-6, 1e-7, 2e-6, 1.0, 1.00001, -0.0, 5.0, math.nan, math.inf))


def compared(*arguments: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """``given``, without a bound on time."""
    return lambda test: settings(deadline=None, max_examples=60)(given(*arguments)(test))


@st.composite
def paths(draw: st.DrawFn) -> str:
    """A path as cairo or dvisvgm writes it, or a little otherwise."""
    commands = ["M", *draw(st.lists(st.sampled_from("MLHVCQZSTlcz"), max_size=8))]
    counts = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "Z": 0, "S": 4, "T": 2}
    between = draw(st.sampled_from((" ", ",", "  ")))
    return between.join(
        command + between + between.join(f"{draw(COORDINATES):.6f}" for _ in range(counts[command.upper()]))
        for command in commands
    )


@st.composite
def families_of(draw: st.DrawFn) -> VMobject:
    """A group of groups, in which some are there twice."""
    members: list[VMobject] = []
    for _ in range(draw(st.integers(1, 5))):
        made = VMobject()
        count = draw(st.integers(0, 6))
        made.points = np.array(
            draw(st.lists(st.tuples(NEAR, COORDINATES, NEAR), min_size=4 * count, max_size=4 * count)), dtype=float
        ).reshape(-1, 3)
        for other in draw(st.lists(st.sampled_from(members), max_size=3)) if members else ():
            made.add(other)
        members.append(made)
    return VGroup(*members)


@compared(paths(), COORDINATES, COORDINATES)
def test_outlines_are_those_of_manim(path: str, x: float, y: float) -> None:
    outline = outline_of(path)
    if outline is None:
        return
    x, y = (0.0 if abs(value) < 1e-4 else value for value in (x, y))
    shape = se.Path({"d": path, "transform": f"translate({x}, {y})"}, pathd_loaded=True)
    shape.parse(path)
    shape.reify()
    mobject = VMobjectFromSVGPath(shape)
    if len(mobject.points):
        SVGMobject.handle_transform(mobject, shape.transform)
    assert describe(outline.at(x, y)) == describe(mobject.points)


def test_outlines_are_made_of_what_text_is_made_of() -> None:
    for path in ("M 0 0 L 1 0 L 1 1 Z M 2 2 C 1 2 3 4 5 6 Z", "M1-2H3V.5Q1 2 3 4Z", "M1 1S2 2 3 3T4 4Z", ""):
        assert outline_of(path) is not None
    assert outline_of("M0 0A1 1 0 0 1 2 2") is None
    assert outline_of("no path") is None or len(outline_of("no path") or ()) == 0


@pytest.mark.parametrize(
    "content",
    [
        '<path d="M0 0" transform="scale(2)"/>',
        '<g class="a"/>',
        "<style>path {fill: red}</style>",
        "<text>words</text>",
        '<use href="#x" x="1e-9"/>',
        '<g style="display: none"/>',
        '<g fill="currentColor"/>',
        '<clipPath id="c"/>',
    ],
)
def test_unusual_pictures_are_left_to_svgelements(content: str) -> None:
    assert shapes.read(ET.fromstring(f"<svg><g>{content}</g></svg>")) is None


COPIES = [copying.deepcopy_mobject, *([copying.natively] if library is not None else [])]


@pytest.mark.parametrize("deepcopy", COPIES)
@compared(families_of(), st.booleans())
def test_copies(deepcopy: Callable[..., VMobject], family: VMobject, with_more: bool) -> None:
    if with_more:
        family.shared = shared = [np.arange(3.0), {"a": (1, family)}, RED]
        family.again = shared
        family.add_updater(lambda mobject, dt: mobject.shift(dt))
        family.submobjects[0].other = {"parent": family, 1: ManimColor("#123456"), "set": {1, 2}}
        family.saved_state = Circle()
    expected, made = copying._original(family, {}), deepcopy(family, {})
    assert describe(made) == describe(expected) == describe(family)
    if with_more:
        assert made.again is made.shared
        assert made.shared[1]["a"][1] is made
    originals = {id(member) for member in family.get_family()}
    for member in made.get_family():
        assert id(member) not in originals
        for name, value in vars(member).items():
            if isinstance(value, np.ndarray):
                assert not any(np.shares_memory(value, vars(other)[name]) for other in family.get_family())


@compared(families_of())
def test_families(family: VMobject) -> None:
    for member in family.get_family():
        assert families._get_family(member) == families._original_get_family(member)


def test_a_mobject_beneath_itself_ends() -> None:
    outer, inner = VGroup(Dot()), VGroup()
    outer.add(inner)
    inner.submobjects.append(outer)
    assert families._get_family(outer) == families._original_get_family(outer)


@compared(st.lists(st.integers(0, 5)))
def test_redundancies(values: list[int]) -> None:
    assert families._remove_list_redundancies(values) == families._original_remove_list_redundancies(values)


@compared(families_of(), st.lists(st.sampled_from((-1, 0, 1, 0.5, -0.0)), min_size=3, max_size=3))
def test_bounds(family: VMobject, direction: list[float]) -> None:
    assert describe(bounds._boundary(family)) == describe(bounds._original_boundary(family))
    assert describe(bounds._merged(family, "points")) == describe(bounds._original_merged(family, "points"))
    for side in (direction, np.array(direction)):
        assert describe(bounds._critical_point(family, side)) == describe(bounds._original_critical_point(family, side))


@compared(st.lists(st.one_of(NEAR, ANY_FLOAT), min_size=6, max_size=6), st.sampled_from((1e-6, 0.5, 0.0)))
def test_equal_points(values: list[float], tolerance: float) -> None:
    mobject = VMobject(tolerance_for_point_equality=tolerance)
    p0, p1 = np.array(values[:3]), np.array(values[3:])
    with np.errstate(all="ignore"):
        assert bounds._equals(mobject, p0, p1) == bounds._original_equals(mobject, p0, p1)
        rows = np.stack((p0, p1, p1))
        assert bounds._equals(mobject, rows, p1) == bounds._original_equals(mobject, rows, p1)


@compared(st.integers(0, 12), st.data())
def test_subpaths(count: int, data: st.DataObject) -> None:
    points = data.draw(st.lists(st.tuples(NEAR, NEAR, NEAR), min_size=4 * count, max_size=4 * count + 3))
    array = np.array(points, dtype=float).reshape(-1, 3)
    with np.errstate(all="ignore"):
        made, expected = (way(VMobject(), array) for way in (bounds._subpaths, bounds._original_subpaths))
    assert describe(made) == describe(expected)


COLORS = st.one_of(
    st.none(),
    st.sampled_from(("#ff0000", "RED", [RED], [None], [RED, ManimColor("#00ff0080")], (RED,))),
    st.builds(ManimColor, st.lists(st.floats(0, 1), min_size=4, max_size=4)),
)
OPACITIES = st.one_of(
    st.none(), st.floats(0, 1), st.sampled_from((0, 1, True, np.float64(0.5), [0.1, 0.2], np.array([0.7])))
)


@compared(COLORS, OPACITIES, COLORS, OPACITIES, st.sampled_from((0, 0.5)))
def test_styles(color: Any, opacity: Any, later: Any, later_opacity: Any, sheen: float) -> None:
    made, expected = VMobject(sheen_factor=sheen), VMobject(sheen_factor=sheen)
    assert describe(styles._generate(made, color, opacity)) == describe(
        styles._original_generate(expected, color, opacity)
    )
    for one, two in ((color, opacity), (later, later_opacity)):
        styles._update(made, "fill_rgbas", one, two)
        styles._original_update(expected, "fill_rgbas", one, two)
    assert describe(made) == describe(expected)


@compared(st.floats(0, 1), st.integers(0, 1))
def test_interpolated_styles(alpha: float, whole: int) -> None:
    start, end = Circle(fill_opacity=0.3, stroke_width=1.7), Square(color="#123456", sheen_factor=0.2)
    start.align_data(end)
    for step in (alpha, np.float64(alpha), whole):
        made, expected = Circle(), Circle()
        styles._interpolate(made, start, end, step)
        styles._original_interpolate(expected, start, end, step)
        assert describe(made) == describe(expected)
        assert not np.shares_memory(made.fill_rgbas, end.fill_rgbas)
        made, expected = end.copy(), end.copy()
        styles._interpolate(made, start, made, step)
        styles._original_interpolate(expected, start, expected, step)
        assert describe(made) == describe(expected)


STYLES = st.fixed_dictionaries(
    {
        "fill_color": st.sampled_from((None, RED, "#000000", [RED, "#123456"])),
        "fill_opacity": st.sampled_from((0, 0.0, -0.0, 0.5, 1, np.float64(0.25))),
        "stroke_color": st.sampled_from((None, "#000000", "#abcdef", [RED, RED])),
        "stroke_opacity": st.sampled_from((0, 0.75, 1)),
        "stroke_width": st.sampled_from((-1, 0, 2, 1.5, np.float64(3))),
        "background_stroke_color": st.sampled_from(("#000000", "#fedcba")),
        "background_stroke_opacity": st.sampled_from((0, 1)),
        "background_stroke_width": st.sampled_from((0, -0.5, 4)),
        "sheen_factor": st.sampled_from((0, 0, 0, 0.3)),
    }
)


class Counted(VMobject):
    """Has a way of its own to set a stroke."""

    strokes = 0

    def set_stroke(self, *args: Any, **kwargs: Any) -> Any:
        """Set it, and count."""
        self.strokes += 1
        return super().set_stroke(*args, **kwargs)


@compared(st.lists(STYLES, min_size=1, max_size=3), st.lists(STYLES, min_size=1, max_size=3), st.booleans())
def test_matched_styles(style: list[dict[str, Any]], others: list[dict[str, Any]], family: bool) -> None:
    def family_of(kind: type[VMobject], styles_: list[dict[str, Any]]) -> VMobject:
        first, *rest = (kind(**one) for one in styles_)
        return first.add(*rest)

    for kind in (VMobject, Counted):
        made, expected = family_of(kind, style), family_of(kind, style)
        source = family_of(VMobject, others)
        before = describe(source)
        assert matching._match_style(made, source, family) is made
        matching._original_match(expected, source, family)
        assert describe(made) == describe(expected)
        assert describe(source) == before
        opacities = (made.fill_opacity, expected.fill_opacity)
        assert len({np.shares_memory(found, source.fill_rgbas) for found in opacities}) == 1


def test_a_style_is_matched_as_the_scene_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(self: VMobject, *_args: Any, **_kwargs: Any) -> VMobject:
        self.own = True
        return self

    monkeypatch.setattr(VMobject, "set_fill", other)
    assert matching._match_style(VMobject(), VMobject()).own
    monkeypatch.undo()
    one = VMobject()
    one.set_style = lambda **_style: other(one)  # type: ignore[method-assign]
    assert matching._match_style(one, VMobject()).own


ONE_COLOR = st.one_of(
    st.lists(st.floats(0, 1), min_size=3, max_size=4).map(np.array),
    COLORS.filter(lambda color: type(color) is not tuple),
).filter(lambda color: type(color) is not list)


@compared(ONE_COLOR, st.floats(0, 1))
def test_colors(value: Any, alpha: float) -> None:
    made, expected = ManimColor.__new__(ManimColor), ManimColor.__new__(ManimColor)
    styles._color_init(made, value, alpha)
    styles._original_color_init(expected, value, alpha)
    assert describe(made) == describe(expected)
    shared = value._internal_value if isinstance(value, ManimColor) else value
    if isinstance(shared, np.ndarray):
        assert np.shares_memory(made._internal_value, shared) is np.shares_memory(expected._internal_value, shared)


@compared(st.floats(-10, 10), st.lists(st.sampled_from((0.0, -0.0, 1.0, -1.0, 0.3)), min_size=3, max_size=3))
def test_rotations(angle: float, axis: list[float]) -> None:
    expected = describe(rotations._original(angle, axis))
    for given_axis in (axis, np.array(axis), tuple(axis)):
        first = rotations._rotation_matrix(angle, given_axis)
        assert describe(first) == expected
        first += 1
        assert describe(rotations._rotation_matrix(angle, given_axis)) == expected


@compared(
    st.lists(st.tuples(NEAR, COORDINATES, NEAR), min_size=1, max_size=22),
    st.lists(
        st.one_of(st.floats(-0.1, 1.1), st.sampled_from((0.0, 1.0, -0.0, 0, 1, math.nan))), min_size=1, max_size=4
    ),
)
def test_points_at_proportions(points: list[tuple[float, float, float]], alphas: list[float]) -> None:
    path = VMobject()
    path.points = np.array(points, dtype=float)
    for alpha in (*alphas, *map(np.float64, alphas)):
        assert outcome(lengths._point_from_proportion, path, alpha) == outcome(lengths._original, path, alpha)
    path.points = path.points * 2
    for alpha in alphas:
        assert outcome(lengths._point_from_proportion, path, alpha) == outcome(lengths._original, path, alpha)


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return a description of what ``function`` returns or raises."""
    try:
        return describe(function(*arguments))
    except Exception as error:  # noqa: BLE001  whatever it is, both must raise it
        return type(error), str(error)


class _Updaters:
    def method(self, mobject: Mobject, dt: float) -> None: ...
    def __call__(self, mobject: Mobject) -> None: ...


@pytest.mark.parametrize(
    "updater",
    [
        lambda mobject: mobject,
        lambda mobject, dt: mobject,
        lambda mobject, *, dt=0: mobject,
        lambda mobject, *dt: mobject,
        lambda mobject, **dt: mobject,
        lambda mobject: [dt + 1 for dt in mobject],
        _Updaters().method,
        _Updaters(),
        partial(lambda mobject, dt: mobject, dt=1),
    ],
)
def test_who_takes_time(updater: Any) -> None:
    assert updates.takes_time(updater) == ("dt" in inspect.signature(updater).parameters)


def test_who_takes_time_behind_a_wrapper() -> None:
    def inner(mobject: Mobject, dt: float) -> None: ...

    def outer(*arguments: Any) -> None: ...

    outer.__wrapped__ = inner  # type: ignore[attr-defined]
    assert updates.takes_time(outer)


@compared(st.integers(1, 6), st.data())
def test_closed_curves(count: int, data: st.DataObject) -> None:
    values = st.tuples(COORDINATES, COORDINATES, st.just(0.0))
    points = np.array(data.draw(st.lists(values, min_size=4 * count, max_size=4 * count)))
    for end, start in pairwise(range(3, 4 * count)):
        if end % 4 == 3 and data.draw(st.booleans()):
            points[start] = points[end]
    assert describe(text.closed(points)) == describe(_closed_by_manim(points))


def _closed_by_manim(points: np.ndarray) -> np.ndarray:
    """The loop of ``Text.__init__``."""
    closed: list[np.ndarray] = []
    curve_start = points[0]

    def add_line_to(end: np.ndarray) -> None:
        start = closed[-1]
        closed.extend([start, (start + start + end) / 3, (start + end + end) / 3, end])

    for index, point in enumerate(points):
        closed.append(point)
        if index != len(points) - 1 and (index + 1) % 4 == 0 and any(point != points[index + 1]):
            add_line_to(curve_start)
            curve_start = points[index + 1]
    add_line_to(curve_start)
    return np.array(closed, ndmin=2)


class _Guarded(VMobject):
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)


class _Own(VMobject):
    def __deepcopy__(self, memo: dict[int, Any]) -> _Own:
        return self


class _Failing:
    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        raise RuntimeError("not to be copied")


class _Growing:
    def __init__(self, grown: Mobject) -> None:
        self.grown = grown

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        for number in range(100):
            setattr(self.grown, f"more{number}", number)


@pytest.mark.parametrize("deepcopy", COPIES)
def test_a_copy_lets_classes_have_their_word(
    deepcopy: Callable[..., VMobject], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mobject, "__deepcopy__", deepcopy)
    group = VGroup(_Guarded(), own := _Own())
    memo: dict[int, Any] = {}
    made = copy.deepcopy(group, memo)
    assert describe(made[0]) == describe(group[0])
    assert made[1] is own
    assert made[0] is memo[id(group[0])]
    assert any(kept is group for kept in memo[id(memo)]), "what was copied is kept alive"
    group.odd = _Failing()
    with pytest.raises(RuntimeError, match="not to be copied"):
        copy.deepcopy(group)
    group.odd = _Growing(group)
    with pytest.raises(RuntimeError, match="changed size"):
        copy.deepcopy(group)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    group.odd = deep
    with pytest.raises(RecursionError):
        copy.deepcopy(group)
    while deep:  # taken apart here, as it is too deep for that, too
        deep = deep.pop()


def test_a_copy_of_a_copy_is_the_same() -> None:
    mobject = VGroup(Circle(), Square())
    assert describe(copy.deepcopy(mobject.copy())) == describe(mobject)
