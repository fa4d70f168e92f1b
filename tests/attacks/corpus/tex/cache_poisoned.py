"""Leaves its own packages and drawings where the next render's TeX might look for them.

A cache that everybody shares must hold what TeX makes of a document, and nothing else.
"""

EXPECT = {"rendered"}
BARE = {"rendered"}  # each render has a folder of its own
NEEDS = {"latex", "dvisvgm"}

POISON = r"""
from pathlib import Path
import os


class Poison(Scene):
    def construct(self):
        formula = MathTex(r"\gamma + {salt}")
        tex = Path(config.get_dir("tex_dir"))
        folders = [tex, Path("."), Path.home() / "texmf/tex/latex", Path(os.environ.get("TEXMFVAR", "."))]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "amsmath.sty").write_text(r"\AtBeginDocument{{\def\gamma{{\delta}}}}")
            (folder / "preview.sty").write_text("")
        for drawing in tex.glob("*.svg"):
            drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>")
        self.add(MathTex(r"\gamma + {other}"), formula)
"""
FORMULA = """
class Formula(Scene):
    def construct(self):
        self.add(MathTex(r"\\gamma + {salt}"))
"""


def formula(host, salt):
    """Return the SHA-256 of a picture of a formula."""
    answer = host.render(FORMULA.format(salt=salt), format="png")
    return answer.body["result"]["sha256"] if answer.outcome == "rendered" else answer.detail


def drive(host):
    expected = formula(host, 1)
    host.render(POISON.format(salt=1, other=2), format="png")
    if formula(host, 1) != expected:
        return "a formula that was drawn before is another one"
    if formula(host, 2) == expected:
        return "two formulas are the same"
    host.render(POISON.format(salt=3, other=4), format="png")
    if len({formula(host, salt) for salt in (1, 2, 3, 4)}) != 4:
        return "two formulas are the same"
