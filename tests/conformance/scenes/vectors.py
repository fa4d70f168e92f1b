"""Vector fields and linear maps."""

from manim import *


class Fields(Scene):
    def construct(self):
        field = ArrowVectorField(lambda p: np.sin(p[1]) * RIGHT + np.cos(p[0]) * UP, x_range=[-4, 4, 1], y_range=[-3, 3, 1])
        self.play(Create(field), run_time=0.6)
        dot = Dot(LEFT, color=WHITE)
        self.add(dot)
        dot.add_updater(field.get_nudge_updater(speed=3))
        self.wait(0.5)


class Streams(Scene):
    def construct(self):
        lines = StreamLines(
            lambda p: np.array([-p[1], p[0], 0]), x_range=[-3, 3, 1], y_range=[-2, 2, 1], stroke_width=2, max_anchors_per_line=20,
            virtual_time=1.5,
        )
        self.add(lines)
        lines.start_animation(warm_up=False, flow_speed=1.5)
        self.wait(0.7)
        self.play(lines.end_animation())


class StreamsCreated(Scene):
    def construct(self):
        lines = StreamLines(
            lambda p: np.array([p[0], -p[1], 0]) / 2, x_range=[-3, 3, 1], y_range=[-2, 2, 1], max_anchors_per_line=15
        )
        self.play(lines.create(), run_time=0.8)


class LinearMap(LinearTransformationScene):
    def __init__(self, **kwargs):
        super().__init__(show_coordinates=False, leave_ghost_vectors=True, **kwargs)

    def construct(self):
        self.add_vector([1, 2], color=YELLOW)
        self.apply_matrix([[0, 1], [-1, 1]], run_time=0.7)
        self.wait(0.2)


class VectorSpace(VectorScene):
    def construct(self):
        self.add_plane(animate=False)
        vector = self.add_vector([2, 1], animate=False)
        self.play(FadeIn(self.get_vector_label(vector, "v")), run_time=0.3)
