"""Which functions only compute."""

from __future__ import annotations

import functools
import itertools
import math
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from manim import linear, smooth, there_and_back
from manim.utils.paths import path_along_arc, straight_path
from manim.utils.rate_functions import squish_rate_func

from manimcast.engine.parallel.plain import is_plain

HALF = 0.5
TABLE = {0: 1.0}
counter = itertools.count()


def bent(t: float) -> float:
    return min(1.0, t**2 * HALF + math.sin(t) + float(np.sqrt(t)))


def twice(t: float) -> float:
    return bent(t) * 2 if t > HALF else bent(t)


def counted(t: float) -> float:
    return t + next(counter)


def by_chance(t: float) -> float:
    return t * random.random()


def by_numpys_chance(t: float) -> float:
    return t * float(np.random.uniform())


def remembering(t: float) -> float:
    TABLE[0] = t
    return t


def looking_up(t: float) -> float:
    return TABLE[0] * t


def opening(t: float) -> float:
    return t if open("/dev/null") else 0.0  # noqa: PTH123


def importing(t: float) -> float:
    import time  # noqa: PLC0415

    return time.time() * t


def _remembers() -> Callable[[float], float]:
    last = 0.0

    def function(t: float) -> float:
        nonlocal last
        last, before = t, last
        return before

    return function


class Callback:
    def __call__(self, t: float) -> float:
        return t

    def method(self, t: float) -> float:
        return t


def name(function: object) -> str:
    """Return what a case is called: the same in every process, so without the address."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(function))


@pytest.mark.parametrize(
    "function",
    [
        linear,
        smooth,
        there_and_back,
        bent,
        twice,
        abs,
        math.sin,
        squish_rate_func(smooth, 0.2, 0.8),
        squish_rate_func(bent, 0.2, 0.8),
        straight_path(),
        path_along_arc(1.0),
        functools.partial(smooth, inflection=8.0),
        lambda t: 1 - t,
        lambda t, k=3: t**k,
        np.sqrt,
    ],
    ids=name,
)
def test_what_works_on_numbers_alone_is_plain(function: Any) -> None:
    assert is_plain(function)


@pytest.mark.parametrize(
    "function",
    [
        counted,
        by_chance,
        by_numpys_chance,
        remembering,
        looking_up,
        opening,
        importing,
        _remembers(),
        squish_rate_func(counted, 0.2, 0.8),
        functools.partial(by_chance),
        Callback(),
        Callback().method,
        print,
        np.random.uniform,
        lambda t: globals()["HALF"] * t,
    ],
    ids=name,
)
def test_what_knows_or_changes_more_is_not(function: Any) -> None:
    assert not is_plain(function)
