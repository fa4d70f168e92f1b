"""All patches together.

Each patch names the upstream symbol that it replaces and the version it was written for, with a digest of the
source that it stands in for. A test compares the digests, so that an upgrade of Manim shows which patches need
another look. Each module has its ``PATCHES``, and an ``install`` for what is the same for every render
(:mod:`.undrawn`, :mod:`.unstepped` and :mod:`.noticing` have one for dry runs).
"""

from __future__ import annotations

from manimcast.engine.parallel import pixels
from manimcast.engine.patches import (
    axes,
    camera,
    frame,
    images,
    noticing,
    plain,
    renderer,
    stepping,
    svg,
    tex,
    three_d,
    undrawn,
    unstepped,
    writer,
)
from manimcast.engine.patches.patch import Patch

PATCHES: tuple[Patch, ...] = (
    *renderer.PATCHES,
    *writer.PATCHES,
    *tex.PATCHES,
    *svg.PATCHES,
    *stepping.PATCHES,
    *camera.PATCHES,
    *axes.PATCHES,
    *frame.PATCHES,
    *images.PATCHES,
    *three_d.PATCHES,
    *undrawn.PATCHES,
    *unstepped.PATCHES,
    *noticing.PATCHES,
)


def install() -> None:
    """Put in place what is the same for every render."""
    pixels.install()
    renderer.install()
    tex.install()
    svg.install()
    stepping.install()
    camera.install()
    frame.install()
    images.install()
    three_d.install()
    # Last, so that what the engine itself replaces counts as Manim's own.
    plain.learn()
    frame.learn()
    renderer.learn()
