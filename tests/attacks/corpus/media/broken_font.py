"""Gives Pango a font with wrong bytes in it, which FreeType and HarfBuzz read in C.

Text is the commonest thing in scenes, and its libraries have had many holes.
"""

import glob
import random

import manimpango
from manim import Text

EXPECT = {"stopped", "killed"}
BARE = {"stopped", "killed"}


def attack(target):
    (path, *_) = sorted(glob.glob("/usr/share/fonts/**/*.ttf", recursive=True))
    with open(path, "rb") as file:
        original = file.read()
    chance = random.Random(0)
    for number in range(3):
        broken = bytearray(original)
        for _ in range(400):
            broken[chance.randrange(300, len(broken))] = chance.randrange(256)
        with open(f"broken-{number}.ttf", "wb") as file:
            file.write(broken)
        manimpango.register_font(f"broken-{number}.ttf")
        target.scene.add(Text("Äb½ fi", font=manimpango.list_fonts()[number]))
