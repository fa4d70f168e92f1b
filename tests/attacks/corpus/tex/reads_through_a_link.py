"""Has TeX typeset a file of the host through a link in its own folder, which TeX may read in.

What lies in its own folder is allowed, wherever it leads.
"""

import os

from manim import Tex, config

EXPECT = {"latex_error", "stopped"}
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    config.get_dir("tex_dir").mkdir(parents=True, exist_ok=True)
    for folder in (".", config.get_dir("tex_dir")):
        os.symlink(target.secret_tex, os.path.join(folder, "mine.tex"))
    drawn = Tex(r"A\input{mine.tex}").family_members_with_points()
    return len(drawn) > 1 and f"{len(drawn)} characters"
