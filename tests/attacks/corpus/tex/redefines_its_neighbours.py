"""Redefines symbols globally, for the expressions that are typeset after it or together with it.

Somebody else's formula would say something else, and stay so in a cache.
"""

EXPECT = {"rendered"}
BARE = {"rendered"}  # each expression is typeset by itself
NEEDS = {"latex", "dvisvgm"}

FORMULA = """
class Formula(Scene):
    def construct(self):
        MathTex(r"{first}")
        self.add(MathTex(r"\\alpha + \\beta \\geq {{}}^{salt}"))
"""
REDEFINED = (
    r"\global\let\alpha\omega \global\let\beta\Omega \gdef\geq{\leq}\global\let\frac\binom "
    r"\makeatletter\gdef\document{\relax}\catcode`\+=13 \global\mathcode`\+=\mathcode`\- x"
)


def formula(host, first, salt):
    """Return the SHA-256 of a picture of a formula, in a render that typesets ``first`` before it."""
    answer = host.render(FORMULA.format(first=first, salt=salt), format="png")
    return answer.body["result"]["sha256"] if answer.outcome == "rendered" else answer.detail


def drive(host):
    # The same formula: typeset by nobody before, after the attack in its own render, and again in a later one.
    expected = formula(host, "x", 2)
    during = formula(host, REDEFINED, 2)
    anew = formula(host, REDEFINED, 3)
    clean = formula(host, "x", 3)
    later = formula(host, "y", 2)
    if not expected == during == later:
        return "the formula has changed"
    if anew != clean:
        return "a formula that is typeset after the attack is another one"
