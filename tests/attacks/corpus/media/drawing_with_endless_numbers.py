"""Gives manim a drawing whose sizes are infinite, no numbers at all, or enormous.

They end as sizes of arrays, as steps of loops and as lengths of videos.
"""

import contextlib

from manim import SVGMobject

EXPECT = {"stopped", "timeout", "out_of_memory", "killed"}
BARE = {"stopped", "timeout", "out_of_memory", "killed"}
REQUEST = {"timeout": 3}


def attack(target):
    for size in ("1e309", "nan", "-1e308", "9" * 4000):
        with open("endless.svg", "w") as file:
            file.write(
                f"<svg xmlns='http://www.w3.org/2000/svg' width='{size}' height='{size}' viewBox='0 0 {size} 1'>"
                f"<circle r='{size}'/><path d='M0 0 A {size} 1 0 0 1 {size} {size} Z'/></svg>"
            )
        with contextlib.suppress(ValueError, ZeroDivisionError, OverflowError, IndexError, RuntimeWarning):
            target.scene.add(SVGMobject("endless.svg"))
            target.scene.wait(0.1)
