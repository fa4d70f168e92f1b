"""Has TeX draw so much that the drawing which comes of it has no end.

A line of TeX makes a drawing that no program can hold.
"""

from manim import Tex

EXPECT = {"timeout", "latex_error", "output_too_large", "out_of_memory", "stopped"}
BARE = {"timeout", "latex_error", "output_too_large", "out_of_memory", "stopped"}
NEEDS = {"latex", "dvisvgm"}
REQUEST = {"timeout": 4}


def attack(target):
    try:
        Tex(r"\leavevmode\leaders\hbox to 0.01pt{\vrule width 0.005pt\hss}\hskip 15000pt\null")
    except ValueError as error:
        if type(error) is not ValueError:
            raise
