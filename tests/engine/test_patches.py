"""The patches fit the Manim that is installed; an upgrade shows which of them need another look."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from manimcast.engine.patches.every import PATCHES
from manimcast.engine.patches.patch import MANIM_VERSION, Patch
from manimcast.engine.patches.tex import expression_in


def test_manim_is_the_version_that_the_patches_were_written_for() -> None:
    assert version("manim") == MANIM_VERSION


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.symbol)
def test_what_a_patch_replaces_has_not_changed(patch: Patch) -> None:
    assert patch.source_digest() == patch.digest


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.symbol)
def test_a_patch_names_what_it_replaces(patch: Patch) -> None:
    assert patch.symbol == f"{patch.upstream.__module__}.{patch.upstream.__qualname__}"


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        ("\\begin{align*}\n\\frac{a}{b}\n\\end{align*}", "\\frac{a}{b}"),
        ("\\begin{center}\nword\n\\end{center}", "word"),
        ("\\special{dvisvgm:raw <g id='unique000'>}x\\special{dvisvgm:raw </g>}", "x"),
    ],
)
def test_the_expression_is_found_in_the_document(body: str, expression: str) -> None:
    document = f"\\documentclass{{standalone}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    assert expression_in(document) == expression
