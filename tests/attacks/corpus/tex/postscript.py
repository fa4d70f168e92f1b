"""Has dvisvgm run PostScript, which is a programming language with files, and take pictures from the host.

Ghostscript is inside dvisvgm, where its own safe mode may be off.
"""

import contextlib

from manim import Tex

EXPECT = "stopped"
BARE = {"escaped", "stopped"}  # where Ghostscript's library is not installed, nothing runs it
NEEDS = {"latex", "dvisvgm"}


def attack(target):
    write = f"({target.folder}/written) (w) file dup (I was here) writestring closefile"
    run = f"(%pipe%touch {target.folder}/ran) (w) file closefile"
    for special in (
        f"ps: {write}",
        f'" {write}',
        f"ps: {run}",
        f"psfile={target.secret_file} llx=0 lly=0 urx=9 ury=9",
        f"pdffile={target.secret_file}",
        f"header={target.secret_file}",
    ):
        with contextlib.suppress(ValueError):  # no drawing came of it
            drawn = Tex(rf"\catcode`\%=12 A\special{{{special}}}")
            if len(drawn.family_members_with_points()) > 1:
                return special
