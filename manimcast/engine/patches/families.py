"""Families: a mobject with all that is under it, which is asked for many times a frame."""

from __future__ import annotations

import functools
from collections.abc import Reversible
from typing import Any

from manim.animation import composition
from manim.mobject import mobject as mobject_module
from manim.mobject.mobject import Mobject
from manim.utils import family, iterables

from manimcast.engine import native
from manimcast.engine.patches import plain
from manimcast.engine.patches.patch import Patch

PATCHES = (
    Patch(
        "manim.mobject.mobject.Mobject.get_family",
        Mobject.get_family,
        "d0b2953532b4380ab77417bd43b5bdc64dafbe958441a9fdcf9450f5dbde2789",
        "Upstream goes through a generator for each level; a loop lists the same, where nothing occurs twice.",
    ),
    Patch(
        "manim.mobject.mobject.Mobject._iter_family",
        Mobject._iter_family,
        "50a525fb52d55d4b7265dd49ecc24462f0b042735ce8199d82a73db6405455f9",
        "What the loop does instead.",
    ),
    Patch(
        "manim.utils.iterables.remove_list_redundancies",
        iterables.remove_list_redundancies,
        "4fd66b34afb43a7cbb0b10150d9b7715e0307e83f54345f7fdf32c3d03b47cd7",
        "The same through a dictionary, which keeps the order in C.",
    ),
)

_original_get_family = Mobject.get_family
_original_remove_list_redundancies = iterables.remove_list_redundancies
_stock_iter_family = Mobject._iter_family


def install() -> None:
    """Put the patches in place."""
    Mobject.get_family = _get_family  # type: ignore[method-assign]
    for module in (iterables, family, composition, mobject_module):
        if module.remove_list_redundancies is _original_remove_list_redundancies:
            module.remove_list_redundancies = _remove_list_redundancies  # type: ignore[attr-defined]


def members_with_points(mobjects: list[Mobject], *, by_z_index: bool) -> list[Mobject] | None:
    """Return what ``extract_mobject_family_members`` does, of those with points; None where one of them is odd."""
    if native.library is None:
        return None
    found = native.library.family(mobjects, True, plain.judge, {}, plain.OVERRIDES)
    if found is None:
        return None
    members: list[Mobject]
    members, in_order = found
    return members if in_order or not by_z_index else sorted(members, key=lambda member: member.z_index)


@functools.wraps(_original_get_family)
def _get_family(self: Mobject, recurse: bool = True) -> list[Mobject]:
    if not self.submobjects and type(self)._iter_family is _stock_iter_family:
        return [self]
    found: dict[Mobject, None] = {}
    count = 0
    waiting = [self]
    while waiting:
        mobject = waiting.pop()
        found[mobject] = None
        count += 1
        if len(found) != count or type(mobject)._iter_family is not _stock_iter_family:
            return _original_get_family(self, recurse)  # one is there twice, or even beneath itself
        if mobject.submobjects:
            waiting.extend(reversed(mobject.submobjects))
    return list(found)


@functools.wraps(_original_remove_list_redundancies)
def _remove_list_redundancies(lst: Reversible[Any]) -> list[Any]:
    result = list(dict.fromkeys(reversed(lst)))
    result.reverse()
    return result
