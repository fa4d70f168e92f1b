"""Rate functions, groups of animations, speeds and waits."""

from manim import *


class RateFunctions(Scene):
    def construct(self):
        functions = [linear, smooth, rush_into, there_and_back, wiggle, double_smooth, rate_functions.ease_in_out_elastic, rate_functions.ease_out_bounce]
        dots = VGroup(*[Dot(4 * LEFT + (2.6 - 0.75 * k) * UP) for k in range(len(functions))])
        self.add(dots)
        self.play(*[d.animate(rate_func=f).shift(8 * RIGHT) for d, f in zip(dots, functions)], run_time=1)


class Lagging(Scene):
    def construct(self):
        squares = VGroup(*[Square(0.6) for _ in range(10)]).arrange(RIGHT)
        self.play(LaggedStart(*[FadeIn(s, shift=UP) for s in squares], lag_ratio=0.2), run_time=1)
        self.play(LaggedStartMap(Rotate, squares, angle=PI / 2, lag_ratio=0.1), run_time=0.8)


class InSuccession(Scene):
    def construct(self):
        a, b = Square(), Circle()
        self.play(Succession(Create(a), a.animate.shift(2 * LEFT), FadeIn(b), lag_ratio=1), run_time=1.2)
        self.play(Succession(FadeOut(a, run_time=0.3), Wait(0.2), FadeOut(b, run_time=0.3)))


class Grouped(Scene):
    def construct(self):
        a, b, c = Square().shift(3 * LEFT), Circle(), Triangle().shift(3 * RIGHT)
        self.play(AnimationGroup(Create(a), Create(b, run_time=0.5), FadeIn(c), lag_ratio=0.3), run_time=1)
        self.play(AnimationGroup(AnimationGroup(Rotate(a), Rotate(c)), Indicate(b), lag_ratio=0.5), run_time=0.9)


class NestedGroups(Scene):
    def construct(self):
        dots = VGroup(*[Dot(radius=0.2) for _ in range(6)]).arrange(RIGHT, buff=0.8)
        self.play(
            LaggedStart(
                Succession(*[GrowFromCenter(d) for d in dots[:3]]),
                AnimationGroup(*[FadeIn(d, shift=DOWN) for d in dots[3:]], lag_ratio=0.5),
                lag_ratio=0.4,
            ),
            run_time=1.2,
        )
        self.play(dots.animate.set_color(RED), Flash(dots[2]), run_time=0.5)


class Speeds(Scene):
    def construct(self):
        dot, other = Dot().shift(4 * LEFT), Dot(color=RED).shift(4 * LEFT + DOWN)
        self.play(
            ChangeSpeed(
                AnimationGroup(dot.animate(run_time=1).shift(8 * RIGHT), other.animate(run_time=0.5).shift(8 * RIGHT)),
                speedinfo={0.3: 1, 0.4: 0.4, 0.8: 0.4, 1: 1},
                rate_func=linear,
            )
        )


class SpeedOfUpdaters(Scene):
    def construct(self):
        dot = Dot(4 * LEFT)
        self.add(dot)
        ChangeSpeed.add_updater(dot, lambda m, dt: m.shift(3 * RIGHT * dt))
        self.play(ChangeSpeed(Wait(1.2), speedinfo={0.4: 1, 0.5: 0.2, 0.8: 0.2, 1: 1}, affects_speed_updaters=True))


class Waits(Scene):
    def construct(self):
        self.wait(0.3)
        self.add(Square())
        self.wait(0.5, frozen_frame=False)
        self.add(Circle())
        self.pause(0.2)
        self.play(Wait(run_time=0.2))
        self.wait(1 / 15)


class WaitUntil(Scene):
    def construct(self):
        dot = Dot(3 * LEFT)
        dot.add_updater(lambda m, dt: m.shift(4 * RIGHT * dt))
        self.add(dot)
        self.wait_until(lambda: dot.get_x() > 0, max_time=2)
        self.wait(1.5, stop_condition=lambda: dot.get_x() > 2)
        dot.clear_updaters()
        self.wait(0.2)


class ShortAndOdd(Scene):
    def construct(self):
        square = Square()
        self.play(FadeIn(square), run_time=1 / 15)
        self.play(square.animate.shift(RIGHT), run_time=0.037)
        self.play(square.animate.shift(LEFT), run_time=0.333)
        self.wait(0.01)
        self.wait(0.41)


class LongHold(Scene):
    def construct(self):
        self.play(Create(Circle()), run_time=0.4)
        self.wait(6)
        self.play(FadeIn(Square()), run_time=0.3)
        self.wait(2.5)


class AddAnimation(Scene):
    def construct(self):
        self.play(
            Succession(
                Add(Square(color=RED)), Wait(0.2), Add(Circle(color=BLUE)), Wait(0.2), Add(Triangle(), run_time=0.2),
            )
        )
        self.wait(0.2)


class RemoverAndIntroducer(Scene):
    def construct(self):
        circle = Circle(fill_opacity=1)
        self.play(FadeIn(circle, suspend_mobject_updating=True, lag_ratio=0.5), run_time=0.4)
        self.play(Create(Square(), reverse_rate_function=True), run_time=0.4)
        self.play(circle.animate.scale(2), Animation(Square(0.5), run_time=0.4), run_time=0.4)
        self.play(Create(circle, remover=True), run_time=0.3)
        self.wait(0.1)
