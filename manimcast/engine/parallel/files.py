"""Where a process that draws keeps the files of text and TeX: apart from those of others that make the same ones."""

from __future__ import annotations

import os
from pathlib import Path

from manim import config

from manimcast.engine.patches import tex


def keep_apart() -> None:
    """Have Manim write into folders of this process; what was typeset before it was forked is still found."""
    tex.look_in(config.get_dir("tex_dir"))
    own = Path(config.get_dir("media_dir")) / "drawers" / str(os.getpid())
    for name in ("text_dir", "tex_dir"):
        config[name] = str(own / name)
