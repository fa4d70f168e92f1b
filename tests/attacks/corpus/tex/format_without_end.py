r"""Has preambles read beforehand that take all memory, all time, or write a format without end.

What is done in the background belongs to no render that could be ended for it.
"""

EXPECT = {"rendered"}
BARE = {"rendered"}  # TeX's own limits, and those on a run of it, hold without a sandbox as well
NEEDS = {"latex", "dvisvgm"}

HEAVY = r"""
class Heavy(Scene):
    def construct(self):
        template = TexTemplate()
        template.add_to_preamble(r"{preamble}")
        for n in range(4):
            try:
                MathTex(f"x_{n}", tex_template=template)
            except ValueError as error:
                print(error)
        self.add(Dot())
"""
READ_BEFOREHAND = r"\expandafter\ifx\csname manim\string castend\endcsname\relax\else"
PREAMBLES = (
    r"\def\a{aaaaaaaaaa}\edef\a{\a\a\a\a\a\a\a\a\a\a}\edef\a{\a\a\a\a\a\a\a\a\a\a}\edef\a{\a\a\a\a\a\a\a\a\a\a}"
    r"\edef\b{\a\a\a\a\a\a\a\a\a\a}\edef\c{\b\b\b\b\b\b\b\b\b\b}",
    rf"{READ_BEFOREHAND}\loop\iftrue\repeat\fi",
    rf"{READ_BEFOREHAND}\newcount\n\loop\expandafter\edef\csname a\the\n\endcsname{{\the\n}}"
    r"\advance\n1\ifnum\n<2000000\repeat\fi",
)


def drive(host):
    for preamble in PREAMBLES:
        host.render(HEAVY.replace("{preamble}", preamble), format="png")
