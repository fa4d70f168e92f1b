from manim import *


class Shear(LinearTransformationScene):
    def __init__(self, **kwargs):
        super().__init__(show_coordinates=False, leave_ghost_vectors=True, **kwargs)

    def construct(self):
        vector = self.add_vector([1, 2], color=YELLOW)
        self.wait(0.5)
        self.apply_matrix([[1, 1], [0, 1]])
        self.wait(1)
        self.apply_inverse([[1, 1], [0, 1]])
        self.play(Indicate(vector))
        self.wait(1)
