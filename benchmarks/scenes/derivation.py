from manim import *


class Quadratic(Scene):
    def construct(self):
        title = Tex(r"Solving $ax^2 + bx + c = 0$").to_edge(UP)
        self.play(Write(title))
        steps = [
            MathTex("a x^2", "+", "b x", "+", "c", "=", "0"),
            MathTex("x^2", "+", r"\frac{b}{a} x", "=", r"-\frac{c}{a}"),
            MathTex(r"\left( x + \frac{b}{2a} \right)^2", "=", r"\frac{b^2 - 4ac}{4a^2}"),
            MathTex("x", "+", r"\frac{b}{2a}", "=", r"\pm \frac{\sqrt{b^2 - 4ac}}{2a}"),
            MathTex("x", "=", r"\frac{-b \pm \sqrt{b^2 - 4ac}}{2a}"),
        ]
        current = steps[0]
        self.play(Write(current))
        self.wait(0.5)
        for step in steps[1:]:
            self.play(TransformMatchingTex(current, step))
            self.wait(0.5)
            current = step
        box = SurroundingRectangle(current, color=YELLOW, buff=0.3)
        self.play(Create(box))
        self.play(Indicate(current))
        self.wait()
