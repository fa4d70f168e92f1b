"""Has TeX write a file on the host.

It is enough to write a .bashrc, a key or a package.
"""

import os

from manim import Tex

EXPECT = {"latex_error", "stopped"}
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    os.environ.update(openout_any="a", TEXMFOUTPUT=target.folder)
    Tex(rf"A\immediate\openout5={target.folder}/written.tex \immediate\write5{{I was here}}\immediate\closeout5")
