"""Has TeX write its log without end.

TeX writes its log as long as there is room.
"""

from manim import Tex

EXPECT = {"timeout", "latex_error", "output_too_large", "out_of_memory"}
BARE = {"timeout", "latex_error", "output_too_large", "out_of_memory"}
NEEDS = {"latex"}
REQUEST = {"timeout": 2}


def attack(target):
    return Tex(r"\loop\wlog{haaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\iftrue\repeat") and "it ended"
