"""What manim-physics adds."""

from manim import *
from manim_physics import *


class Falling(SpaceScene):
    def construct(self):
        ball = Circle(0.4, fill_opacity=1, color=RED).shift(2 * UP)
        ground = Line([-4, -2, 0], [4, -2, 0])
        self.add(ball, ground)
        self.make_rigid_body(ball)
        self.make_static_body(ground)
        self.wait(1)


class Swinging(SpaceScene):
    def construct(self):
        pendulum = MultiPendulum(RIGHT, 1.5 * RIGHT + DOWN)
        self.add(pendulum)
        self.make_rigid_body(*pendulum.bobs)
        pendulum.start_swinging()
        self.add(TracedPath(pendulum.bobs[-1].get_center, stroke_color=BLUE))
        self.wait(0.8)


class Charges(Scene):
    def construct(self):
        plus = Charge(1, LEFT * 2)
        minus = Charge(-1, RIGHT * 2)
        field = ElectricField(plus, minus, x_range=[-4, 4, 1], y_range=[-2, 2, 1])
        self.play(FadeIn(field), FadeIn(plus), FadeIn(minus), run_time=0.4)


class StringWave(Scene):
    def construct(self):
        wave = StandingWave(3, length=8)
        self.add(wave)
        wave.start_wave()
        self.wait(0.7)
