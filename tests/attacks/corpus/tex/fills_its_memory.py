"""Has TeX define macros that double, without end.

TeX's own limits are large, and its configuration can make them larger.
"""

from manim import Tex

EXPECT = {"timeout", "latex_error", "out_of_memory"}
BARE = {"timeout", "latex_error", "out_of_memory"}
NEEDS = {"latex"}
REQUEST = {"timeout": 5}


def attack(target):
    return Tex(r"\def\x{ha}\loop\edef\x{\x\x}\iftrue\repeat") and "it ended"
