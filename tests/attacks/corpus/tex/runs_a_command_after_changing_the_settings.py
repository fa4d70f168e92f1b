"""Has TeX run commands, after it changed the settings that keep TeX from it.

Settings in an environment that the scene can change protect nobody.
"""

import os

from manim import Tex

EXPECT = {"latex_error", "stopped"}
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    os.environ.update(shell_escape="t", shell_escape_commands="touch")
    Tex(rf"A\immediate\write18{{touch {target.folder}/ran}}")
