"""Gradients that are laid natively are, byte for byte, those that pixman lays: in any shape that cairo draws."""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Callable, Iterator
from typing import Any

import cairo
import pytest

from manimcast.engine import native

IS_IN_USE = native.library is not None and native.library.gradients(True)

pytestmark = [
    pytest.mark.skipif(native.library is None, reason="the native part is not compiled"),
    pytest.mark.skipif(
        not IS_IN_USE and "x86_64" not in sysconfig.get_platform(),
        reason="pixman's pixels are others on this processor",
    ),
]

WIDTH, HEIGHT = 640, 360
Draw = Callable[["cairo.Context[Any]", random.Random], None]


@pytest.fixture(autouse=True)
def _ours_afterwards() -> Iterator[None]:
    yield
    native.library.gradients(True)


def _drawn(draw: Draw, seed: int, *, ours: bool) -> bytes:
    assert native.library.gradients(ours) is ours, "pixman's calls are not led here"
    lots = random.Random(seed)
    pixels = bytearray(bytes([lots.randrange(256), lots.randrange(256), 9, 255]) * (WIDTH * HEIGHT))
    surface = cairo.ImageSurface.create_for_data(pixels, cairo.FORMAT_ARGB32, WIDTH, HEIGHT)
    context = cairo.Context(surface)
    scale = lots.choice([45.0, 60.0, 90.0, 135.0])
    context.set_matrix(cairo.Matrix(scale, 0, 0, -scale, WIDTH / 2, HEIGHT / 2))
    for _ in range(60):
        draw(context, lots)
    surface.flush()
    return bytes(pixels)


def _both(draw: Draw, seed: int) -> tuple[bytes, bytes]:
    return _drawn(draw, seed, ours=True), _drawn(draw, seed, ours=False)


def _gradient(lots: random.Random, points: list[tuple[float, float]]) -> cairo.LinearGradient:
    start, end = points[0], points[len(points) // 2]
    kind = lots.random()
    if kind < 0.2:
        end = (end[0], start[1])
    elif kind < 0.3:
        end = (start[0], end[1])
    elif kind < 0.35:  # hardly changes at all, over rows or along them
        end = (start[0] + lots.choice([0.0, 1e-3, 3e4]), start[1] + lots.choice([1e-3, 3e4]))
    gradient = cairo.LinearGradient(*start, *end)
    count = lots.choice([2, 2, 2, 3, 5, 20])
    for i in range(count):
        alpha = lots.choice([1, 1, 1, 0, lots.random()])
        gradient.add_color_stop_rgba(
            i / (count - 1), lots.uniform(-0.2, 1.2), lots.random(), lots.choice([0, 1]), alpha
        )
    return gradient


def _corners(lots: random.Random, digits: int | None) -> list[tuple[float, float]]:
    x, y, size = lots.uniform(-7, 7), lots.uniform(-4, 4), lots.choice([0.1, 0.3, 0.5, 1, 3, 8])
    points = [(x + lots.uniform(-size, size), y + lots.uniform(-size, size)) for _ in range(lots.choice([3, 4, 4, 7]))]
    return points if digits is None else [(round(x, digits), round(y, digits)) for x, y in points]


def _shape(context: cairo.Context[Any], lots: random.Random, digits: int | None = None) -> None:
    points = _corners(lots, digits)
    context.new_path()
    context.move_to(*points[0])
    for (x, y), (next_x, next_y) in zip(points, [*points[1:], points[0]], strict=True):
        bend = lots.choice([0, 0, 0, 1])
        third_x, third_y = (next_x - x) / 3, (next_y - y) / 3
        context.curve_to(x + third_x + bend, y + third_y, x + 2 * third_x, y + 2 * third_y - bend, next_x, next_y)
    context.close_path()
    context.set_source(_gradient(lots, points))
    context.fill_preserve()
    context.set_source(_gradient(lots, points))
    context.set_line_width(lots.choice([0.005, 0.02, 0.04, 0.2]))
    context.stroke_preserve()


def _on_a_lattice(context: cairo.Context[Any], lots: random.Random) -> None:
    """Edges that stand upright, of which cairo gives several rows at once."""
    _shape(context, lots, digits=lots.choice([0, 1]))


def _boxes(context: cairo.Context[Any], lots: random.Random) -> None:
    points = _corners(lots, 1)
    context.set_source(_gradient(lots, points))
    context.rectangle(*points[0], lots.uniform(0.01, 3), lots.uniform(0.01, 3))
    context.fill()


def _other_ways(context: cairo.Context[Any], lots: random.Random) -> None:
    """What scenes hardly ever do, and what has to go to pixman."""
    context.save()
    points = _corners(lots, None)
    gradient: cairo.Gradient = _gradient(lots, points)
    if lots.random() < 0.3:
        gradient = cairo.RadialGradient(*points[0], 0.1, *points[1], 1.0)
        gradient.add_color_stop_rgb(0, 1, 0, 0)
        gradient.add_color_stop_rgb(1, 0, 1, 0)
    gradient.set_extend(lots.choice([cairo.EXTEND_NONE, cairo.EXTEND_REPEAT, cairo.EXTEND_REFLECT, cairo.EXTEND_PAD]))
    if lots.random() < 0.5:
        context.arc(*points[0], lots.uniform(0.2, 3), 0, 6.3)
        context.clip()
    context.rotate(lots.random())
    context.set_operator(lots.choice([cairo.OPERATOR_OVER, cairo.OPERATOR_SOURCE, cairo.OPERATOR_ADD]))
    context.set_antialias(lots.choice([cairo.ANTIALIAS_DEFAULT, cairo.ANTIALIAS_NONE]))
    context.set_source(gradient)
    if lots.random() < 0.3:
        context.paint_with_alpha(lots.random())
    else:
        context.move_to(*points[0])
        for point in points[1:]:
            context.line_to(*point)
        context.fill()
    context.restore()


@pytest.mark.parametrize("draw", [_shape, _on_a_lattice, _boxes, _other_ways])
@pytest.mark.parametrize("seed", range(12))
def test_every_pixel_is_the_same(draw: Draw, seed: int) -> None:
    ours, pixmans = _both(draw, seed)
    assert ours == pixmans


def test_wide_pictures_are_laid_in_pieces() -> None:
    def draw(context: cairo.Context[Any], lots: random.Random) -> None:
        gradient = cairo.LinearGradient(lots.uniform(-8, 0), 0, lots.uniform(0, 8), 1)
        gradient.add_color_stop_rgba(0, 1, 0, 0, 0.2)
        gradient.add_color_stop_rgba(1, 0, 1, 1, 0.3)
        context.set_source(gradient)
        context.move_to(-8, -5)
        context.curve_to(-8, 5, lots.uniform(-8, 8), 5, 8, lots.uniform(-5, 5))
        context.fill()

    ours, pixmans = _both(draw, 5)
    assert ours == pixmans


def test_rgb_surfaces_go_to_pixman() -> None:
    def picture(*, ours: bool) -> bytes:
        native.library.gradients(ours)
        surface = cairo.ImageSurface(cairo.FORMAT_RGB24, 64, 64)
        context = cairo.Context(surface)
        gradient = cairo.LinearGradient(0, 0, 64, 64)
        gradient.add_color_stop_rgb(0, 1, 0, 0)
        gradient.add_color_stop_rgb(1, 0, 0, 1)
        context.set_source(gradient)
        context.arc(32, 32, 30, 0, 6.3)
        context.fill()
        surface.flush()
        return bytes(surface.get_data())

    assert picture(ours=True) == picture(ours=False)


def test_it_is_in_use_from_the_start() -> None:
    assert native.library.gradients(True) is True
    with pytest.raises(TypeError, match="gradients"):
        native.library.gradients(1)
