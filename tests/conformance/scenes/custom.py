"""Classes that a scene brings along."""

from manim import *


class Sweep(Animation):
    """Uncover a mobject while its colour runs through the rainbow."""

    def interpolate_mobject(self, alpha):
        value = self.rate_func(alpha)
        self.mobject.become(self.starting_mobject)
        self.mobject.set_color(ManimColor.from_hsv((value, 1, 1)))
        self.mobject.rotate(value * PI / 2)


class Clock(VGroup):
    """A dial whose hand turns by itself."""

    def __init__(self, rate=3, **kwargs):
        super().__init__(**kwargs)
        self.dial = Circle(1.5, color=WHITE)
        self.hand = Line(ORIGIN, 1.3 * UP, color=RED)
        self.add(self.dial, self.hand)
        self.rate = rate
        self.hand.add_updater(lambda m, dt: m.rotate(-self.rate * dt, about_point=self.dial.get_center()))


class CustomAnimation(Scene):
    def construct(self):
        star = Star(6, fill_opacity=0.7)
        self.play(Sweep(star), run_time=0.8)
        self.play(Sweep(Square(), rate_func=there_and_back), run_time=0.5)


class CustomMobject(Scene):
    def construct(self):
        clock = Clock()
        self.add(clock)
        self.wait(0.4)
        self.play(clock.animate.shift(2 * RIGHT), run_time=0.5)
        self.wait(0.3)


class CustomPlay(Scene):
    def play(self, *animations, **kwargs):
        super().play(*animations, **kwargs)
        super().play(Wait(0.1))

    def construct(self):
        self.play(Create(Square()), run_time=0.3)
        self.play(FadeIn(Circle()), run_time=0.3)


class OverriddenCreation(Scene):
    def construct(self):
        class Framed(Square):
            @override_animation(Create)
            def _create(self, **kwargs):
                return AnimationGroup(FadeIn(self), Flash(self), **kwargs)

            @override_animate(Mobject.shift)
            def _shift(self, vector, anim_args=None):
                return Rotate(self, PI / 3, **(anim_args or {}))

        box = Framed(color=GOLD)
        self.play(Create(box), run_time=0.6)
        self.play(box.animate.scale(1.3), run_time=0.3)


class StatefulAnimation(Scene):
    """An animation whose frames depend on how often it was stepped."""

    def construct(self):
        class Counter(Animation):
            def begin(self):
                self.steps = 0
                super().begin()

            def interpolate_mobject(self, alpha):
                self.steps += 1
                self.mobject.shift(0.05 * self.steps * RIGHT)

        self.play(Counter(Dot(4 * LEFT)), run_time=0.8)
        self.wait(0.1)


class DrawnLater(Scene):
    """What is drawn in one play depends on what the plays before it left."""

    def construct(self):
        history = []
        square = Square()
        square.add_updater(lambda m: history.append(m.get_x()))
        self.add(square)
        self.play(square.animate.shift(RIGHT), run_time=0.4)
        self.play(FadeIn(Integer(len(history)).shift(2 * UP)), run_time=0.3)
