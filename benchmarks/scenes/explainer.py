from manim import *


class Explainer(Scene):
    def construct(self):
        title = Text("Areas under a curve", font_size=44).to_edge(UP)
        axes = Axes([0, 5], [0, 6], x_length=8, y_length=4.5).shift(0.4 * DOWN)
        graph = axes.plot(lambda x: 0.2 * x**2 + 1, color=BLUE)
        self.play(Write(title))
        self.play(Create(axes), run_time=1.5)
        self.play(Create(graph))
        rough = axes.get_riemann_rectangles(graph, x_range=[0, 4], dx=0.5)
        fine = axes.get_riemann_rectangles(graph, x_range=[0, 4], dx=0.1)
        self.play(FadeIn(rough, lag_ratio=0.1))
        self.wait(1)
        self.play(ReplacementTransform(rough, fine))
        note = Text("finer and finer", font_size=32, color=YELLOW).next_to(axes, DOWN)
        self.play(FadeIn(note, shift=UP))
        self.play(Indicate(note), Circumscribe(graph))
        self.wait(1)
        self.play(*[FadeOut(mobject) for mobject in self.mobjects])
