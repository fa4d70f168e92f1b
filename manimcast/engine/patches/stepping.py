"""Stepping: all that happens between drawings. What profiles of it show is taken out, a module for each part.

None of it changes a result: the floats are the same to the last bit, and so are the objects and their attributes.
Where a scene's own classes override what is done differently here, or a scene replaces it in Manim itself, Manim's own
way is taken.
"""

from __future__ import annotations

import os

from manimcast.engine.patches import bounds, copying, families, lengths, matching, rotations, styles, svg, text, updates

_PARTS = (copying, families, bounds, lengths, rotations, styles, matching, text, updates)
PATCHES = tuple(patch for part in _PARTS for patch in part.PATCHES)

SWITCH = "MANIMCAST_STEPPING"
"""Environment variable that leaves Manim's stepping as it is when it is ``stock``: for tests and benchmarks."""


def install() -> None:
    """Put the patches in place, unless :data:`SWITCH` says otherwise."""
    if os.environ.get(SWITCH) == "stock":
        return
    for part in _PARTS:
        part.install()
    svg.install_outlines()
