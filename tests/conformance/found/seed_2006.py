# Found by the fuzzer, seed 2006; made smaller.

from manim import *


class Fuzzed(ThreeDScene):
    def construct(self):
        shape_2 = Line([0.61, 1.67, 0], [-2.99, 1.09, 0])
        self.play(SpiralIn(shape_2), run_time=0.52)
        self.wait(0.7, stop_condition=lambda: self.time > 1)
        self.add(Dot(radius=0.1 + self.renderer.get_frame()[90, 160, 0] / 2000))
