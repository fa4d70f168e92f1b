"""Hides an option of the compiler in the name of the output format, which is put together into one.

What the scene writes there becomes part of a command line and of a path.
"""

import contextlib

from manim import Tex, TexTemplate

EXPECT = {"latex_error", "stopped"}
BARE = {"escaped", "latex_error", "stopped"}  # dvisvgm prints where it works, on the host
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    touch = rf"\immediate\write18{{touch {target.folder}/ran}}"
    for output in (".dvi --shell-escape", ".dvi\x00", "/../x", "-shell-escape", ""):
        with contextlib.suppress(ValueError):
            Tex(f"A{touch}", tex_template=TexTemplate(output_format=output))
