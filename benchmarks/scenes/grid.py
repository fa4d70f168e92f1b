from manim import *


class BentGrid(Scene):
    def construct(self):
        plane = NumberPlane()
        matrix = Matrix([["1", "1"], ["0", "1"]], element_to_mobject=Text).to_corner(UL).add_background_rectangle()
        self.play(Create(plane, lag_ratio=0.1), FadeIn(matrix))
        self.play(plane.animate.apply_matrix([[1, 1], [0, 1]]), run_time=2)
        self.wait()
        plane.prepare_for_nonlinear_transform()
        self.play(
            plane.animate.apply_function(lambda p: p + np.array([np.sin(p[1]), np.sin(p[0]), 0])),
            run_time=3,
        )
        self.wait()
