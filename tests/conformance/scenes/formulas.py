"""What LaTeX sets."""

from manim import *


class TexLines(Scene):
    def construct(self):
        lines = VGroup(
            Tex(r"The area is $\pi r^2$"), MathTex(r"\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}"),
        ).arrange(DOWN, buff=0.6)
        self.play(Write(lines[0]), run_time=0.6)
        self.play(FadeIn(lines[1], shift=UP), run_time=0.5)


class Substrings(Scene):
    def construct(self):
        formula = MathTex("a^2", "+", "b^2", "=", "c^2", font_size=80)
        formula.set_color_by_tex("c^2", YELLOW)
        other = MathTex(r"e^{x}", substrings_to_isolate="x", font_size=80).shift(2 * DOWN)
        other.set_color_by_tex("x", RED)
        self.play(Write(formula), FadeIn(other), run_time=0.7)
        self.play(Indicate(formula[2]), formula[0].animate.set_color(BLUE), run_time=0.5)


class MatchingTex(Scene):
    def construct(self):
        first = MathTex("{{x}}^2", "+", "{{y}}^2", "=", "1", font_size=70)
        second = MathTex("{{x}}^2", "=", "1", "-", "{{y}}^2", font_size=70)
        self.add(first)
        self.play(TransformMatchingTex(first, second, path_arc=PI / 2), run_time=1)
        self.wait(0.2)


class Aligned(Scene):
    def construct(self):
        block = MathTex(r"(a+b)^2 &= a^2 + 2ab + b^2 \\ (a-b)^2 &= a^2 - 2ab + b^2")
        self.play(FadeIn(block), run_time=0.4)
        self.play(Create(SurroundingRectangle(block)), run_time=0.4)


class Headings(Scene):
    def construct(self):
        title = Title("A heading")
        points = BulletedList("first point", "second point", "third", font_size=40)
        self.play(Write(title), run_time=0.6)
        self.play(FadeIn(points, lag_ratio=0.2), run_time=0.6)
        points.fade_all_but(1)
        self.wait(0.3)


class OwnTemplate(Scene):
    def construct(self):
        template = TexTemplate()
        template.add_to_preamble(r"\usepackage{mathrsfs}")
        self.play(FadeIn(Tex(r"$\mathscr{L}\{f\}$", tex_template=template, font_size=90)), run_time=0.5)
        self.play(Create(MathTex(r"\mathbb{R} \subset \mathbb{C}").shift(2 * DOWN)), run_time=0.6)


class BraceTex(Scene):
    def construct(self):
        formula = MathTex("f(x)", "=", "x^2 + 1", font_size=70)
        brace = Brace(formula[2], DOWN)
        self.play(FadeIn(formula), run_time=0.3)
        self.play(GrowFromCenter(brace), FadeIn(brace.get_tex("y")), run_time=0.5)
        self.play(Circumscribe(formula[0]), run_time=0.6)
