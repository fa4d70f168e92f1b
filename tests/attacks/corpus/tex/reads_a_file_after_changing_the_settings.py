"""Has TeX typeset a file of the host, after it changed the settings that keep TeX from reading there.

Settings in an environment that the scene can change protect nobody.
"""

import os

from manim import Tex

EXPECT = {"latex_error", "stopped"}
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    os.environ.update(openin_any="a", openout_any="a", shell_escape="t", TEXMFOUTPUT="/", TEXINPUTS=f"{target.folder}:")
    drawn = Tex(rf"A\input{{{target.secret_tex}}}").family_members_with_points()
    return len(drawn) > 1 and f"{len(drawn)} characters"
