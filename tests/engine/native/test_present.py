"""The tests of the native part are skipped where it is missing; here it must not be."""

from __future__ import annotations

from manimcast.engine import native


def test_the_native_part_is_compiled_here() -> None:
    assert native.library is not None, "run ./dev setup"
