"""Animations that bring things in, take them out, and point at them."""

from manim import *


class CreateAndUncreate(Scene):
    def construct(self):
        shape = Star(color=YELLOW, fill_opacity=0.3)
        self.play(Create(shape), run_time=0.6)
        self.play(Uncreate(shape), run_time=0.6)


class WriteAndUnwrite(Scene):
    def construct(self):
        word = Text("written", font_size=72)
        self.play(Write(word), run_time=0.8)
        self.play(Unwrite(word), run_time=0.6)


class Growing(Scene):
    def construct(self):
        row = VGroup(Square(), Circle(), Triangle(), Arrow(LEFT, RIGHT), Star(5)).arrange(RIGHT, buff=0.5)
        self.play(
            GrowFromCenter(row[0]), GrowFromPoint(row[1], 3 * DOWN, point_color=RED), GrowFromEdge(row[2], UP),
            GrowArrow(row[3]), SpinInFromNothing(row[4]), run_time=1,
        )
        self.play(ShrinkToCenter(row[0]), FadeOut(row[1], scale=2), run_time=0.5)


class Fading(Scene):
    def construct(self):
        row = VGroup(*[Square(1, color=c, fill_opacity=0.7) for c in (RED, GREEN, BLUE)]).arrange(RIGHT)
        self.play(FadeIn(row[0], shift=UP), FadeIn(row[1], scale=0.3), FadeIn(row[2], target_position=3 * DL), run_time=0.6)
        self.play(FadeOut(row, shift=2 * RIGHT, scale=0.5), run_time=0.5)


class Indications(Scene):
    def construct(self):
        row = VGroup(Square(1), Circle(0.5), Text("hi"), Dot()).arrange(RIGHT, buff=1.2)
        self.add(row)
        self.play(Indicate(row[0]), Flash(row[3], color=RED), run_time=0.7)
        self.play(Circumscribe(row[1], fade_out=True), Wiggle(row[2]), run_time=0.9)
        self.play(FocusOn(row[3]), run_time=0.5)


class PassingFlashes(Scene):
    def construct(self):
        path = Square(3, color=YELLOW)
        self.add(Square(3, color=GRAY))
        self.play(ShowPassingFlash(path, time_width=0.5), run_time=0.7)
        self.play(ShowPassingFlashWithThinningStrokeWidth(path.copy().scale(1.2), n_segments=6), run_time=0.6)


class WavesAndBlinks(Scene):
    def construct(self):
        word = Text("wave", font_size=90)
        self.add(word)
        self.play(ApplyWave(word, ripples=2, amplitude=0.4), run_time=0.8)
        self.play(Blink(word, blinks=2, time_on=0.2, time_off=0.2))


class BroadcastRings(Scene):
    def construct(self):
        self.play(Broadcast(Circle(radius=3, color=TEAL), n_mobs=3, lag_ratio=0.25), run_time=1.2)


class Subsets(Scene):
    def construct(self):
        dots = VGroup(*[Dot(radius=0.2, color=c) for c in color_gradient([RED, BLUE], 9)]).arrange_in_grid(3, 3)
        self.play(ShowIncreasingSubsets(dots), run_time=0.8)
        self.play(ShowSubmobjectsOneByOne(dots.copy().shift(3 * RIGHT)), run_time=0.6)


class Spirals(Scene):
    def construct(self):
        group = VGroup(Circle(color=RED, fill_opacity=0.6), Square(color=BLUE, fill_opacity=0.6), Triangle()).arrange(RIGHT)
        self.play(SpiralIn(group), run_time=0.9)


class RotatingThings(Scene):
    def construct(self):
        arm = Line(ORIGIN, 2 * RIGHT, color=YELLOW)
        self.add(Dot(), arm)
        self.play(Rotate(arm, PI / 2, about_point=ORIGIN), run_time=0.5)
        self.play(Rotating(arm, angle=TAU, about_point=ORIGIN), run_time=0.9)
        self.play(arm.animate.rotate(-PI / 2, about_point=ORIGIN), run_time=0.4)


class AlongPaths(Scene):
    def construct(self):
        path = FunctionGraph(lambda x: np.sin(2 * x), x_range=[-4, 4], color=GRAY)
        dot = Dot(color=RED)
        self.add(path)
        self.play(MoveAlongPath(dot, path), rate_func=linear, run_time=1)
        self.play(MoveAlongPath(dot, Circle(1)), run_time=0.5)


class TypingLetters(Scene):
    def construct(self):
        word = Text("typing", font_size=60)
        cursor = Rectangle(color=GRAY_A, fill_color=GRAY_A, fill_opacity=1, height=0.9, width=0.3).move_to(word[0])
        self.play(TypeWithCursor(word, cursor, time_per_char=0.1))
        self.play(RemoveTextLetterByLetter(word, time_per_char=0.1))
        self.play(AddTextLetterByLetter(Text("again").shift(2 * DOWN), time_per_char=0.1))


class Boundary(Scene):
    def construct(self):
        text = Text("edge", font_size=96)
        self.add(text, AnimatedBoundary(text, colors=[RED, GREEN, BLUE], cycle_rate=3))
        self.wait(0.8)
