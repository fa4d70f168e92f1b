"""Has TeX typeset a file of the host.

What it reads is drawn in the video.
"""

from manim import Tex

EXPECT = {"latex_error", "stopped"}
BARE = {"latex_error", "stopped"}  # TeX's own setting (openin_any) holds in every tier
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    drawn = Tex(rf"A\input{{{target.secret_tex}}}").family_members_with_points()
    return len(drawn) > 1 and f"{len(drawn)} characters"
