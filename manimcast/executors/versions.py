"""Which tools decide what TeX makes of a document."""

from __future__ import annotations

from collections.abc import Mapping

VERSIONS = ("manim", "latex", "dvisvgm", "tex")
"""Their entries of the engine's fingerprint."""


def versions_of(fingerprint: Mapping[str, str]) -> dict[str, str]:
    """Return those entries of ``fingerprint``."""
    return {name: fingerprint.get(name, "") for name in VERSIONS}
