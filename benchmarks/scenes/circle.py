from manim import *


class Circled(Scene):
    def construct(self):
        self.play(Create(Circle()))
