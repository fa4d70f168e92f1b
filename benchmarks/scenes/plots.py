from manim import *


class SineAndTangent(Scene):
    def construct(self):
        axes = Axes(
            x_range=[-1, 7, 1], y_range=[-1.5, 1.5, 0.5], x_length=11, y_length=5,
            axis_config={"include_tip": True},
        )
        labels = axes.get_axis_labels(x_label="x", y_label="f(x)")
        self.play(Create(axes), Write(labels))
        sine = axes.plot(np.sin, color=BLUE)
        cosine = axes.plot(np.cos, color=RED)
        self.play(Create(sine), run_time=2)
        self.play(Create(cosine), run_time=2)
        area = axes.get_area(sine, x_range=[0, PI], color=(BLUE, GREEN), opacity=0.5)
        self.play(FadeIn(area))
        self.wait(1)
        dot = Dot(axes.c2p(0, 0), color=YELLOW)
        self.play(FadeIn(dot, scale=3))
        self.play(MoveAlongPath(dot, sine), run_time=3, rate_func=linear)
        line = axes.get_vertical_line(axes.c2p(PI / 2, 1), color=YELLOW)
        self.play(Create(line))
        self.wait(1)
