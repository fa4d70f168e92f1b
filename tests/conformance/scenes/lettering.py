"""Text that Pango sets: plain, marked up, paragraphs and code."""

from manim import *


class PlainText(Scene):
    def construct(self):
        lines = VGroup(
            Text("Hello, World", font_size=60), Text("coloured", t2c={"col": RED, "[4:]": BLUE}),
            Text("slant and weight", slant=ITALIC, weight=BOLD), Text("ligatures fi fl", disable_ligatures=True),
            Text("gradient", gradient=(YELLOW, PINK)), Text("two\nlines", line_spacing=0.8),
        ).arrange(DOWN, buff=0.25)
        self.play(Write(lines), run_time=1.2)
        self.play(lines.animate.scale(0.8), run_time=0.3)


class Markup(Scene):
    def construct(self):
        text = MarkupText(
            'A <b>bold</b>, <i>italic</i>, <span foreground="yellow">yellow</span> H<sub>2</sub>O, '
            '<gradient from="RED" to="BLUE">gradient</gradient> &amp; <u>more</u>',
            font_size=36,
        )
        self.play(FadeIn(text, lag_ratio=0.1), run_time=0.8)
        self.wait(0.2)


class OtherScripts(Scene):
    def construct(self):
        group = VGroup(Text("Straße naïve Ωμέγα"), Text("Привет, мир"), Text("x → y ≤ ∞", font_size=50)).arrange(DOWN)
        self.play(LaggedStart(*[Write(t) for t in group], lag_ratio=0.3), run_time=1)


class Paragraphs(Scene):
    def construct(self):
        block = Paragraph("first line", "the second, longer line", "third", alignment="center", line_spacing=0.6)
        block[1][0:3].set_color(RED)
        self.play(FadeIn(block), run_time=0.4)
        self.play(block[2].animate.set_color(BLUE).shift(DOWN), run_time=0.4)


class SourceCode(Scene):
    def construct(self):
        code = Code(
            code_string="def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a", language="python",
            formatter_style="monokai", background="window", add_line_numbers=True,
        )
        self.play(FadeIn(code), run_time=0.3)
        self.play(Indicate(code.code_lines[2]), run_time=0.5)


class WordByWord(Scene):
    def construct(self):
        words = VGroup(*[Text(w) for w in "one two three four".split()]).arrange(RIGHT)
        self.play(LaggedStart(*[FadeIn(w, shift=DOWN) for w in words], lag_ratio=0.3), run_time=0.8)
        self.play(words[1].animate.set_color(YELLOW), words[3].animate.scale(1.5), run_time=0.4)


class ManyGlyphs(Scene):
    def construct(self):
        lines = VGroup(*[Text("the quick brown fox jumps over it", font_size=22) for _ in range(4)]).arrange(DOWN)
        self.play(Write(lines), run_time=0.7)


class Labels(Scene):
    def construct(self):
        line = LabeledLine(Text("edge", font_size=24), start=3 * LEFT, end=3 * RIGHT, label_position=0.4)
        arrow = LabeledArrow(Text("to", font_size=24), start=3 * LEFT + 2 * DOWN, end=3 * RIGHT + UP)
        backed = Text("behind me").add_background_rectangle(color=BLUE, opacity=0.6).shift(2 * UP)
        self.play(Create(line), Create(arrow), FadeIn(backed), run_time=0.6)
