r"""Leaves redefinitions, also in hidden ways, where preambles of TeX are read beforehand for everybody.

A format that one formula or preamble has changed would change formulas of others.
"""

EXPECT = {"rendered"}
BARE = {"rendered"}  # a format is made of a preamble alone, and belongs to exactly that preamble
NEEDS = {"latex", "dvisvgm"}

POISON = r"""
REDEFINED = r"\global\let\alpha\omega\gdef\geq{\leq}\csname every\string job\endcsname{\global\let\alpha\omega} "
ALMOST = (
    r"\csname every\string job\endcsname{\global\let\alpha\omega}",
    r"\AtBeginDocument{\global\let\alpha\omega}% ",
    r"\immediate\csname open\string out\endcsname5=preamble.fmt \immediate\csname write\endcsname5{x}",
)


class Poison(Scene):
    def construct(self):
        for addition in ("", *ALMOST):
            template = TexTemplate()
            template.add_to_preamble("% two")
            template.add_to_preamble(addition)
            for number in range(3):
                MathTex(REDEFINED + f"x_{number}", tex_template=template)
        self.add(Dot())
"""
FORMULA = r"""
class Formula(Scene):
    def construct(self):
        template = TexTemplate()
        template.add_to_preamble("% COMMON")
        self.add(MathTex(r"\alpha \geq SALT", tex_template=template))
"""


def formula(host, common, salt):
    """Return the SHA-256 of a picture of a formula, or what became of it, in which case nothing equals it."""
    answer = host.render(FORMULA.replace("COMMON", common).replace("SALT", str(salt)), format="png")
    return answer.body["result"]["sha256"] if answer.outcome == "rendered" else (answer.detail, common, salt)


def drive(host):
    host.render(POISON, format="png")
    # The same formula, in the same preamble but for a remark: where the attack alone had one read beforehand, and where
    # nobody attacked.
    later, expected = formula(host, "two", 2), formula(host, "one", 2)
    if later == formula(host, "two", 3):
        return "two formulas are the same"
    if isinstance(expected, str) and isinstance(later, str) and later != expected:
        return "the formula has changed"
