"""Do once what every render would otherwise do again: import, read font lists, build tables.

Runs in the zygote, before the first fork. Nothing here depends on a job.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from manimcast.spec import AspectRatio, Quality, RenderSpec

LAZY = (
    "scipy.interpolate",
    "scipy.optimize",
    "scipy.spatial",
    "av.subtitles.stream",
    "encodings.ascii",
    "multiprocessing.synchronize",
    "PIL.JpegImagePlugin",
    "typst",
    "srt",
    "pydub",
    "manim.renderer.opengl_renderer",
    "manim.mobject.opengl.opengl_vectorized_mobject",
    "pygments.lexers.python",
    "pygments.styles.vim",
    "manimcast.engine.render",
)
"""Modules that Manim, what it uses, or the engine imports only when a scene needs them."""


def warm(prepared_tex: Path | None = None) -> str | None:
    """Import Manim and the engine, and draw one frame of text and shapes for the caches behind them.

    ``prepared_tex`` is a folder of typeset expressions. Returns what the service's owner should hear: that not all of
    it is used, that the native part is missing.
    """
    for name in LAZY:
        importlib.import_module(name)
    from manimcast.engine import aside, memory, native, prepared  # noqa: PLC0415  imports manim, which takes most of a second
    from manimcast.engine.fingerprint import fingerprint  # noqa: PLC0415
    from manimcast.engine.patches import every, images, summation, tex  # noqa: PLC0415

    memory.keep()
    every.install()
    summation.formulas()
    if native.library is not None:
        images.gives_the_same()
    versions = fingerprint()
    complaints = [native.complaint, _compare_conversions()]
    if prepared_tex is not None:
        found, complaint = prepared.load(prepared_tex, versions)
        complaints.append(complaint)
        tex.use_prepared(found)
    # With newer Pangos a thread of its own answers for fonts, and stays. A process that is forked from one that has
    # it waits for it for ever, so there each render looks for its fonts itself.
    _draw_a_frame(text=aside.call(_threads_that_text_takes) == 1)
    # What lives now is shared with every child; the collector must not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    return " ".join(filter(None, complaints)) or None


def _compare_conversions() -> str | None:
    """Find out for the usual sizes whether the native conversion is right here. Returns what is to be said if not."""
    from manimcast.engine import convert, native  # noqa: PLC0415

    sizes = {
        RenderSpec(code="-", quality=quality, aspect_ratio=ratio).pixel_size
        for quality, ratio in itertools.product(Quality, AspectRatio)
    }
    differing = [size for size in sorted(sizes) if convert.native_rounding("yuv420p", *size) is None]
    if native.library is None or not differing:
        return None
    return f"Pictures of {len(differing)} usual sizes are converted by PyAV, which is slow: {convert.DIFFERS}."


def _threads_that_text_takes() -> int:
    _draw_a_frame(text=True)
    return len(list(Path("/proc/self/task").iterdir()))


def _draw_a_frame(*, text: bool) -> None:
    from manim import BOLD, Circle, Scene, Square, Text, VGroup, tempconfig  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="manimcast-warm-") as directory, _working_in(directory):
        settings = {"media_dir": directory, "dry_run": True, "verbosity": "ERROR", "progress_bar": "none"}
        with tempconfig(settings | {"pixel_width": 64, "pixel_height": 36}):
            scene = Scene()
            scene.add(VGroup(Circle(), Square(fill_opacity=1)))
            if text:
                scene.add(VGroup(Text("Warm ½ é"), Text("Bold", weight=BOLD)))
            scene.render()


@contextlib.contextmanager
def _working_in(directory: str) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)
