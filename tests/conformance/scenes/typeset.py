"""What Typst sets, without LaTeX."""

from manim import *


class TypstText(Scene):
    def construct(self):
        text = Typst("*Bold*, _italic_ and $x^2$", font_size=60)
        self.play(Write(text), run_time=0.8)
        self.play(text.animate.set_color(BLUE), run_time=0.3)


class TypstMath(Scene):
    def construct(self):
        first = MathTypst("integral_0^1 x^2 dif x = 1/3", font_size=70)
        second = MathTypst("sum_(k=1)^n k = (n (n+1)) / 2", font_size=70)
        self.play(FadeIn(first), run_time=0.4)
        self.play(ReplacementTransform(first, second), run_time=0.6)


class TypstParts(Scene):
    def construct(self):
        formula = MathTypst("{{ a^2 }} + {{ b^2 }} = {{ c^2 }}", font_size=80)
        self.play(Create(formula), run_time=0.6)
        self.play(Indicate(formula), run_time=0.4)
