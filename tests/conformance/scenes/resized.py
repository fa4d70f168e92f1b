"""Picture size and frame rate set by the code itself."""

from manim import *

config.pixel_width = 480
config.pixel_height = 600
config.frame_rate = 20
config.frame_height = 10
config.frame_width = 8


class OwnSize(Scene):
    def construct(self):
        self.play(Create(Square(4)), run_time=0.5)
        self.wait(0.25)


class TemporaryConfig(Scene):
    def construct(self):
        with tempconfig({"frame_width": 4}):
            shape = ScreenRectangle(height=config.frame_width)
        self.play(FadeIn(shape), run_time=0.3)
