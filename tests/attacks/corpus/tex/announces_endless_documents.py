"""Announces documents of TeX that have no end, in the name of the process that looks ahead.

What is typeset before anybody waits for it must neither outlive the render nor keep others waiting.
"""

EXPECT = {"stopped"}
BARE = {"stopped"}  # a bounded number, of which a few run at a time, as long as the render does
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    for number in range(200):
        source = rf"\documentclass{{minimal}}\begin{{document}}\loop\iftrue\repeat {number}\end{{document}}"
        target.say({"type": "foreseen", "source": source, "compiler": "latex", "output_format": ".dvi"})
