"""Configuration set by the code itself, before the scene exists."""

from manim import *

config.background_color = "#224466"
config.frame_width = 10
Text.set_default(font_size=60)
Square.set_default(color=ORANGE)


class OwnConfiguration(Scene):
    def construct(self):
        self.play(Create(Square(2)), FadeIn(Text("own")), run_time=0.6)
        self.play(Create(Line(config.left_side, config.right_side).shift(2 * DOWN)), run_time=0.3)


class BackgroundDuring(Scene):
    def construct(self):
        self.add(Circle(fill_opacity=1))
        self.wait(0.2)
        self.camera.background_color = WHITE
        self.wait(0.2)
        self.play(FadeIn(Square()), run_time=0.3)
