"""One thing becoming another."""

from manim import *


class TransformFamily(Scene):
    def construct(self):
        square = Square(color=RED, fill_opacity=0.5).shift(3 * LEFT)
        circle = Circle(color=BLUE, fill_opacity=0.5).shift(3 * RIGHT)
        self.add(square)
        self.play(Transform(square, circle), run_time=0.5)
        star = Star(color=YELLOW)
        self.play(ReplacementTransform(square, star), run_time=0.5)
        self.play(TransformFromCopy(star, Triangle().shift(2 * UP)), run_time=0.5)


class TurningTransforms(Scene):
    def construct(self):
        a, b = Square().shift(2 * LEFT), Circle().shift(2 * RIGHT)
        c, d = Triangle().shift(2 * RIGHT + DOWN), Star(6).shift(2 * LEFT + DOWN)
        self.play(ClockwiseTransform(a, b), CounterclockwiseTransform(c, d), run_time=0.8)
        self.play(a.animate(path_arc=PI).shift(4 * LEFT), run_time=0.5)


class FadeTransforms(Scene):
    def construct(self):
        source = VGroup(Square(), Circle()).arrange(RIGHT).shift(3 * LEFT)
        target = VGroup(Text("square"), Text("circle")).arrange(DOWN).shift(3 * RIGHT)
        self.add(source)
        self.play(FadeTransform(source, target, stretch=True), run_time=0.7)
        pieces = VGroup(Square(), Circle()).arrange(RIGHT).shift(2 * DOWN)
        self.play(FadeTransformPieces(pieces, VGroup(Triangle(), Star()).arrange(RIGHT)), run_time=0.7)


class TargetsAndStates(Scene):
    def construct(self):
        shape = Square(color=GREEN)
        shape.generate_target()
        shape.target.scale(2).set_color(RED).shift(RIGHT)
        shape.save_state()
        self.play(MoveToTarget(shape), run_time=0.5)
        self.play(Restore(shape), run_time=0.5)


class Swapping(Scene):
    def construct(self):
        row = VGroup(*[Square(1, color=c, fill_opacity=1) for c in (RED, GREEN, BLUE)]).arrange(RIGHT, buff=1)
        self.add(row)
        self.play(Swap(row[0], row[2]), run_time=0.6)
        self.play(CyclicReplace(*row), run_time=0.6)


class MatrixAndFunction(Scene):
    def construct(self):
        grid = NumberPlane(x_range=[-3, 3], y_range=[-3, 3])
        self.add(grid)
        self.play(ApplyMatrix([[1, 0.7], [0, 1]], grid), run_time=0.6)
        self.play(grid.animate.apply_function(lambda p: p + 0.3 * np.array([np.sin(p[1]), np.sin(p[0]), 0])), run_time=0.6)


class ComplexFunction(Scene):
    def construct(self):
        plane = ComplexPlane(x_range=[-2, 2], y_range=[-2, 2])
        plane.prepare_for_nonlinear_transform(20)
        self.add(plane)
        self.play(ApplyComplexFunction(lambda z: z**2 / 2, plane), run_time=0.7)


class Homotopies(Scene):
    def construct(self):
        square = Square(3, color=TEAL)
        self.play(Homotopy(lambda x, y, z, t: (x, y + 0.7 * t * np.sin(3 * x), z), square), run_time=0.6)
        text = Text("flow").shift(2 * UP)
        self.play(PhaseFlow(lambda p: 0.5 * np.array([-p[1], p[0], 0]), text), run_time=0.6)
        self.play(ComplexHomotopy(lambda z, t: z * np.exp(1j * t), square), run_time=0.4)


class ApplyingMethods(Scene):
    def construct(self):
        dot = Dot(radius=0.5)
        self.play(ApplyMethod(dot.shift, 2 * RIGHT), run_time=0.3)
        self.play(FadeToColor(dot, RED), run_time=0.3)
        self.play(ScaleInPlace(dot, 2), run_time=0.3)
        self.play(ApplyFunction(lambda m: m.shift(3 * LEFT).set_color(BLUE), dot), run_time=0.3)
        self.play(ApplyPointwiseFunction(lambda p: [p[0], 2 * p[1], 0], dot), run_time=0.3)


class MatchingShapes(Scene):
    def construct(self):
        source = Text("the morse code", font_size=60)
        target = Text("here come dots", font_size=60)
        self.add(source)
        self.play(TransformMatchingShapes(source, target, path_arc=PI / 2), run_time=1)


class AnimateChains(Scene):
    def construct(self):
        square = Square()
        self.add(square)
        self.play(square.animate.shift(2 * RIGHT).rotate(PI / 4).set_color(GOLD).scale(0.5), run_time=0.5)
        self.play(square.animate(run_time=0.6, rate_func=there_and_back).shift(2 * UP))
        self.play(square.animate.become(Circle(color=PINK)), run_time=0.4)


class BecomeAndMatch(Scene):
    def construct(self):
        shape = Circle(color=BLUE, fill_opacity=0.5)
        self.add(shape)
        self.wait(0.2)
        shape.become(Square(color=RED, fill_opacity=0.8).shift(LEFT))
        self.wait(0.2)
        other = Triangle().match_style(shape).next_to(shape, RIGHT)
        self.play(FadeIn(other), run_time=0.3)
        self.play(shape.animate.align_data(other), Transform(other, shape.copy()), run_time=0.4)
