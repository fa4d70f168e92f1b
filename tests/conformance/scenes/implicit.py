"""A scene that imports nothing but what it needs, under its own names."""

import manim as mn
from manim import RIGHT, Scene, Square


class NamedImports(Scene):
    def construct(self):
        square = Square(side_length=pow(2, 1), color=mn.RED)
        self.play(mn.Create(square), run_time=0.4)
        self.play(square.animate.shift(pow(2, 10, 7) * RIGHT), run_time=0.4)


class _Base(Scene):
    shapes = ()

    def construct(self):
        for shape in self.shapes:
            self.play(mn.FadeIn(shape()), run_time=0.2)


class FromBase(_Base):
    shapes = (Square, mn.Circle, mn.Triangle)
