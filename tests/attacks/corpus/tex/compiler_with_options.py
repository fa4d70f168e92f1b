"""Names a compiler with options, or another program, where manim takes the name of one.

What the scene writes there becomes part of a command line.
"""

import contextlib

from manim import Tex, TexTemplate

EXPECT = {"latex_error", "stopped"}
BARE = {"latex_error", "stopped"}  # manim takes the names that it knows
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    touch = rf"\immediate\write18{{touch {target.folder}/ran}}"
    for compiler in (
        "latex --shell-escape",
        "latex -shell-escape",
        "pdflatex\x00--shell-escape",
        f"touch {target.folder}/ran; latex",
        "../../../bin/sh",
        "sh",
        ["latex", "sh"],
    ):
        with contextlib.suppress(ValueError):
            Tex(f"A{touch}", tex_template=TexTemplate(tex_compiler=compiler))
