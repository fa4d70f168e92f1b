"""Gives manim a drawing that contains itself.

Who follows every reference never comes to an end.
"""

from manim import SVGMobject

EXPECT = {"stopped", "timeout", "out_of_memory", "killed"}
BARE = {"stopped", "timeout", "out_of_memory", "killed"}
REQUEST = {"timeout": 3}

DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">
<g id="a"><rect width="1" height="1"/><use xlink:href="#a"/><use xlink:href="#a"/></g></svg>"""


def attack(target):
    with open("snake.svg", "w") as file:
        file.write(DRAWING)
    try:
        SVGMobject("snake.svg")
    except RecursionError:
        return None
