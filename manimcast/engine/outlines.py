"""Outlines of glyphs: the points that Manim gets from an SVG path, for a path that is drawn at many places.

SVGs of text define each glyph once and use it wherever it stands. svgelements reads its path anew for each use, and
Manim turns it into points one by one. Here the path is read once; each place costs an addition of arrays. The floats
are the same: translation adds to each coordinate before anything else, and all that follows is done in Manim's order.
"""

from __future__ import annotations

import functools
import math
import re

import numpy as np
import numpy.typing as npt
import svgelements as se

SAME_POINT = 1e-4
"""Manim draws the line that closes a path when its ends are farther apart."""

_MARGIN = 1e-9
"""So much may translation change a distance by rounding, where coordinates are below :data:`FAR`."""

FAR = 1e5

_TOKEN = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)")
_SEPARATOR = re.compile(r"[\s,]+")
_NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "Z": 0}

Points = npt.NDArray[np.float64]
Pair = tuple[float, float]


class Outline:
    """The cubic curves of one path, before it is put in its place.

    Each of its points is either one of the path's own or the third of a sum of three of them.
    """

    def __init__(self, own: list[Pair], sums: list[tuple[int, int, int]]) -> None:
        """``own`` are the path's points; ``sums`` has for each point (i, i, i), or the three to take a third of."""
        self._own = np.zeros((len(own), 3))
        if own:
            self._own[:, :2] = own
        picked = np.array(sums, dtype=np.intp).reshape(-1, 3)
        self._first = picked[:, 0].copy()
        self._averaged = np.flatnonzero((picked[:, 0] != picked[:, 1]) | (picked[:, 1] != picked[:, 2]))
        self._terms = picked[self._averaged].T.copy()
        self.is_far = bool(own) and float(np.abs(self._own).max()) >= FAR

    def __len__(self) -> int:
        return len(self._first)

    def at(self, x: float, y: float) -> Points:
        """Return the points (n x 3) of the path translated by ``x`` and ``y``."""
        own = self._own + np.array((x, y, 0.0))
        points: Points = own[self._first]
        if len(self._averaged):
            one, two, three = (own[term] for term in self._terms)
            points[self._averaged] = (one + two + three) / 3
        points += 0.0  # as multiplying by the identity does, turn -0.0 into 0.0
        return points


@functools.lru_cache(maxsize=4096)
def outline_of(path: str) -> Outline | None:
    """Return the outline of an SVG path's ``d``, or ``None`` when Manim had better read it itself."""
    segments = _read(path)
    return _trace(segments if segments is not None else _read_by_svgelements(path))


Segment = tuple[str, tuple[Pair, ...]]


def _read(path: str) -> list[Segment] | None:
    """Read a path of absolute commands; ``None`` when it is not quite regular."""
    tokens = _TOKEN.findall(path)
    if "".join(tokens) != _SEPARATOR.sub("", path) or (tokens and tokens[0] != "M"):
        return None
    segments: list[Segment] = []
    position, current = 0, (0.0, 0.0)
    while position < len(tokens):
        command = tokens[position]
        count = _NUMBERS.get(command)
        if count is None:
            return None  # another command, or more numbers than this one takes
        try:
            numbers = [float(token) for token in tokens[position + 1 : position + 1 + count]]
        except ValueError:
            return None
        position += 1 + count
        if len(numbers) != count or (command == "Z" and tokens[position : position + 1] not in ([], ["M"])):
            return None
        if command == "H":
            numbers = [numbers[0], current[1]]
        elif command == "V":
            numbers = [current[0], numbers[0]]
        pairs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        segments.append(("L" if command in "HV" else command, pairs))
        current = pairs[-1] if pairs else current
    return segments


def _read_by_svgelements(path: str) -> list[Segment] | None:
    segments: list[Segment] = []
    try:
        parsed = se.Path(path)
    except (ValueError, TypeError, IndexError, AttributeError):
        return None
    for segment in parsed:
        kind = segment.__class__
        if kind is se.Move:
            segments.append(("M", (_pair(segment.end),)))
        elif kind is se.Line:
            segments.append(("L", (_pair(segment.end),)))
        elif kind is se.QuadraticBezier:
            segments.append(("Q", (_pair(segment.control), _pair(segment.end))))
        elif kind is se.CubicBezier:
            segments.append(("C", (_pair(segment.control1), _pair(segment.control2), _pair(segment.end))))
        elif kind is se.Close:
            segments.append(("Z", ()))
        else:
            return None  # arcs
    return segments


def _pair(point: se.Point) -> Pair:
    return float(point.x), float(point.y)


def _trace(segments: list[Segment] | None) -> Outline | None:
    """Follow the path as ``VMobjectFromSVGPath.handle_commands`` does."""
    if segments is None:
        return None
    own: list[Pair] = []
    sums: list[tuple[int, int, int]] = []
    pen = moved_to = -1
    for command, pairs in segments:
        end = len(own) + len(pairs) - 1
        own.extend(pairs)
        if command == "M":
            pen = moved_to = end
            continue
        if pen < 0:
            return None
        if command == "C":
            sums += [(pen,) * 3, (end - 2,) * 3, (end - 1,) * 3, (end,) * 3]
        elif command == "Q":
            control = end - 1
            sums += [(pen,) * 3, (pen, control, control), (control, control, end), (end,) * 3]
        else:
            if command == "Z":
                distance = math.dist(own[pen], own[moved_to])
                if abs(distance - SAME_POINT) < _MARGIN:
                    return None
                if distance < SAME_POINT:
                    continue
                end = moved_to
            sums += [(pen,) * 3, (pen, pen, end), (pen, end, end), (end,) * 3]
        pen = end
    outline = Outline(own, sums)
    return None if outline.is_far else outline
