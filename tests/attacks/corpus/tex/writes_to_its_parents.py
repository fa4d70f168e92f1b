"""Has TeX write above its own folder, and over files that other programs obey.

What TeX may write in its own folder must not be what other programs obey.
"""

import contextlib
import os

from manim import Tex

EXPECT = "stopped"
BARE = "stopped"  # TeX's own setting (openout_any) holds in every tier
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    for path in ("../written.tex", "../../written.tex", ".bashrc"):
        with contextlib.suppress(ValueError):  # of what is forbidden, TeX makes an error
            Tex(rf"A\immediate\openout5={path} \immediate\write5{{I was here}}\immediate\closeout5")
    return [path for path in ("../written.tex", "../../written.tex", ".bashrc") if os.path.exists(path)]
