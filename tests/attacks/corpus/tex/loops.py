"""Has TeX expand a macro without end.

TeX is a programming language, and its programs need not end.
"""

from manim import Tex

EXPECT = {"timeout", "latex_error"}
BARE = {"timeout", "latex_error"}
NEEDS = {"latex"}
REQUEST = {"timeout": 2}


def attack(target):
    return Tex(r"\def\x{\x}\x") and "it ended"
