"""Both sides, as warm processes that a module of tests keeps: stock Manim, and the engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.harness import Side


@pytest.fixture(scope="module")
def stock() -> Iterator[Side]:
    side = Side("stock")
    yield side
    side.stop()


@pytest.fixture(scope="module")
def engine() -> Iterator[Side]:
    side = Side("engine")
    yield side
    side.stop()
