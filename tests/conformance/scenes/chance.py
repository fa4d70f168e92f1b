"""Random numbers, from the generators that Manim seeds."""

import random

from manim import *


class StandardRandom(Scene):
    def construct(self):
        for _ in range(3):
            dot = Dot([random.uniform(-5, 5), random.gauss(0, 1.5), 0], color=random.choice([RED, GREEN, BLUE]))
            self.play(GrowFromCenter(dot), run_time=random.uniform(0.2, 0.4))


class NumpyRandom(Scene):
    def construct(self):
        dots = VGroup(*[Dot(np.append(p, 0), radius=0.05) for p in np.random.normal(0, 1.5, (60, 2))])
        self.play(FadeIn(dots, lag_ratio=0.05), run_time=0.6)
        self.play(dots.animate.apply_function(lambda p: p + np.random.uniform(-0.3, 0.3, 3)), run_time=0.4)


class RandomWalk(Scene):
    def construct(self):
        dot = Dot(color=YELLOW)

        def step(mobject, dt):
            mobject.shift(np.array([random.uniform(-1, 1), np.random.uniform(-1, 1), 0]) * dt * 8)

        dot.add_updater(step)
        self.add(TracedPath(dot.get_center), dot)
        self.wait(0.8)
        self.play(FadeIn(Square(color=random_bright_color())), run_time=0.4)


class OwnGenerator(Scene):
    def construct(self):
        generator = np.random.default_rng(7)
        points = generator.uniform(-3, 3, (40, 3)) * [1.6, 1, 0]
        dots = VGroup(*[Dot(p, color=random_color()) for p in points])
        self.play(LaggedStartMap(FadeIn, dots, lag_ratio=0.02), run_time=0.6)
        self.play(*[d.animate.shift(generator.normal(0, 0.4, 3) * [1, 1, 0]) for d in dots], run_time=0.4)


class ShuffledOrder(Scene):
    def construct(self):
        squares = VGroup(*[Square(0.5, fill_opacity=1) for _ in range(12)]).arrange_in_grid(3, 4)
        squares.set_color_by_gradient(RED, BLUE)
        self.add(squares)
        squares.shuffle_submobjects()
        self.play(LaggedStart(*[Indicate(s) for s in squares], lag_ratio=0.1), run_time=0.9)
        self.play(squares.animate.arrange_in_grid(3, 4), run_time=0.4)
