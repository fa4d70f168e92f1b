r"""Has TeX run commands, by each of the ways that it has (\write18, pipes).

It is the classic among attacks on services that take LaTeX.
"""

import contextlib

from manim import Tex

EXPECT = "stopped"
BARE = "stopped"  # TeX's own setting (shell_escape) holds in every tier
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    for command in (
        rf"\immediate\write18{{touch {target.folder}/ran}}",
        rf'\input{{|"touch {target.folder}/ran"}}',
        rf'\openin5=|"touch {target.folder}/ran" \read5 to\x',
    ):
        with contextlib.suppress(ValueError):  # of what is forbidden, TeX makes an error or nothing
            Tex(rf"A{command}")
