"""Writes into the drawing that comes of it: references to files and addresses (dvisvgm's specials).

The drawing is read by another library, with its own idea of references.
"""

from manim import Tex

EXPECT = {"latex_error", "stopped"}
BARE = {"latex_error", "stopped"}
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    image = f"<image xlink:href='http://127.0.0.1:{target.tcp_port}/a.png' width='9' height='9'/>"
    use = f"<use xlink:href='file://{target.secret_file}\\string#a'/>"
    drawn = Tex(rf"A\special{{dvisvgm:raw {image}{use}}}\special{{dvisvgm:img 9 9 {target.secret_file}}}")
    return len(drawn.family_members_with_points()) > 1
