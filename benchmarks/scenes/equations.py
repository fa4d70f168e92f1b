from manim import *


class Pythagoras(Scene):
    def construct(self):
        a, b, c = 1.8 * LEFT + DOWN, 1.2 * RIGHT + DOWN, 1.2 * RIGHT + 1.25 * UP
        triangle = Polygon(a, b, c, color=WHITE)
        corner = RightAngle(Line(b, a), Line(b, c), length=0.25)
        self.play(Create(triangle), Create(corner))
        squares = VGroup()
        for start, end, color in ((a, b, BLUE), (b, c, GREEN), (c, a, RED)):
            side = end - start
            out = np.array([side[1], -side[0], 0])
            squares.add(Polygon(start, end, end + out, start + out, color=color, fill_opacity=0.5))
        self.play(VGroup(triangle, corner, squares).animate.scale(0.7).shift(2 * LEFT), run_time=0.5)
        for square, name in zip(squares, ("a^2", "b^2", "c^2")):
            self.play(DrawBorderThenFill(square), Write(MathTex(name).move_to(square)))
        formula = MathTex("a^2", "+", "b^2", "=", "c^2", font_size=64).shift(3.5 * RIGHT)
        self.play(Write(formula))
        self.wait(1)
        self.play(Circumscribe(formula))
        self.wait(2)
