# Found by the fuzzer, seed 2012; made smaller.
import random

from manim import *


class Fuzzed(Scene):
    def construct(self):
        shape_1 = Cross(Square(1.16))
        shape_2 = Arrow([-1, 0, 0], [1.61, 0.5, 0])
        self.play(Unwrite(shape_1), run_time=0.57)
        self.play(Transform(shape_2, Angle(Line(ORIGIN, RIGHT), Line(ORIGIN, [1.29, 1, 0])).shift([1.99 / 2, -1.49 / 2, 0]), path_arc=0.60 * 2), rate_func=linear)
