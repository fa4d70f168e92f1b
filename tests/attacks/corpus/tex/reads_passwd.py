r"""Has TeX typeset /etc/passwd, .env and other files by paths of all kinds.

There are many ways to write a path, and \openin tells whether a file is there without an error.
"""

import os

from manim import Tex

EXPECT = {"latex_error", "stopped"}
BARE = {"latex_error", "stopped"}  # TeX's own setting (openin_any) holds in every tier
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    up = "../" * 12
    paths = ("/etc/passwd", f"{up}etc/passwd", ".env", "../.env", f"{target.folder}/.env", f"{target.checkout}/.env")
    tests = "".join(
        rf"\openin5={path}\relax\ifeof5\else\message{{has {os.path.basename(path)}}}XXX\fi\closein5" for path in paths
    )
    drawn = Tex(f"A{tests}").family_members_with_points()
    return len(drawn) > 1 and f"{len(drawn) // 3} files are there"
