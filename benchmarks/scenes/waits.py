from manim import *


class LongWaits(Scene):
    def construct(self):
        self.play(Create(Square()))
        self.wait(10)
        self.play(FadeIn(Text("still here").shift(2 * DOWN)))
        self.wait(12)
        self.play(*[FadeOut(mobject) for mobject in self.mobjects])
