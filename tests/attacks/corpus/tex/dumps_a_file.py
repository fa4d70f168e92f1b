r"""Has pdfTeX tell about a file of the host without opening it as an input: size, digest, bytes.

pdfTeX's own commands for files are easily forgotten beside \input.
"""

from manim import Tex

EXPECT = {"latex_error", "stopped"}
BARE = {"latex_error", "stopped"}  # TeX's own setting (openin_any) holds in every tier
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    told = rf"\pdffilesize{{{target.secret_tex}}}\pdfmdfivesum file{{{target.secret_tex}}}"
    dumped = rf"\pdffiledump offset 0 length 8{{{target.secret_tex}}}\pdffilemoddate{{{target.secret_tex}}}"
    drawn = Tex(f"A{told}{dumped}").family_members_with_points()
    return len(drawn) > 1 and f"{len(drawn)} characters"
