r"""Leaves redefinitions, also in hidden ways, where preambles of TeX are read beforehand for everybody.

A format that one formula or preamble has changed would change formulas of others.
"""

EXPECT = {"rendered"}
BARE = {"rendered"}  # a format is made of a preamble alone, and belongs to exactly that preamble
NEEDS = {"latex", "dvisvgm"}

FORMULA = r"""
class Formula(Scene):
    def construct(self):
        template = TexTemplate()
        template.add_to_preamble(r"{common}")
        {more}
        formulas = [MathTex(r"{first}" + f" x_{{n}}^{salt}", tex_template=template) for n in range(4)]
        self.add(MathTex(r"\alpha \geq {salt}", tex_template=template))
"""
POISON = (
    r"\global\let\alpha\omega\gdef\geq{\leq}\csname every\string job\endcsname{\global\let\alpha\omega}"
    r"\gdef\begincounted{\let\alpha\omega}\gdef\begincontinued{\let\alpha\omega}\csname du\string mp\endcsname "
)
ALMOST = (
    r"template.add_to_preamble(r'\csname every\string job\endcsname{\global\let\alpha\omega}')",
    r"template.add_to_preamble(r'\AtBeginDocument{\global\let\alpha\omega}% ')",
    r"template.add_to_preamble(r'\immediate\csname open\string out\endcsname5=preamble.fmt')",
    r"template.add_to_preamble(r'\immediate\csname open\string out\endcsname5=../../preamble.fmt')",
)


def formula(host, common, salt, first="", more="pass"):
    """Return the SHA-256 of a picture of a formula, or what became of it, in which case nothing equals it."""
    answer = host.render(FORMULA.format(common=common, salt=salt, first=first, more=more), format="png")
    return answer.body["result"]["sha256"] if answer.outcome == "rendered" else (answer.detail, common, salt, more)


def drive(host):
    # The same formula, in the same preamble but for a remark: where only the attack had one read beforehand, and where
    # nobody attacked.
    formula(host, "% two", 3, first=POISON)
    for more in ALMOST:
        formula(host, "% two", 4, more=more)
    formula(host, "% two", 5)
    later = formula(host, "% two", 2)
    if later == formula(host, "% two", 6):
        return "two formulas are the same"
    expected = formula(host, "% one", 2)
    if isinstance(expected, str) and isinstance(later, str) and later != expected:
        return "the formula has changed"
