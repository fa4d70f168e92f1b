from manim import *


class BubbleSort(Scene):
    def construct(self):
        values = [5, 2, 7, 3, 6, 1]
        bars = [
            Rectangle(width=0.8, height=0.6 * v, fill_opacity=0.8, color=BLUE).set_stroke(WHITE, 2) for v in values
        ]
        VGroup(*bars).arrange(RIGHT, aligned_edge=DOWN, buff=0.3)
        title = Text("Bubble sort", font_size=40).to_edge(UP)
        self.play(Write(title), LaggedStart(*[GrowFromEdge(b, DOWN) for b in bars], lag_ratio=0.1))
        for end in range(len(values) - 1, 0, -1):
            for k in range(end):
                if values[k] > values[k + 1]:
                    a, b = bars[k], bars[k + 1]
                    self.play(
                        a.animate.set_x(b.get_x()).set_color(YELLOW), b.animate.set_x(a.get_x()).set_color(YELLOW),
                        run_time=0.5,
                    )
                    self.play(a.animate.set_color(BLUE), b.animate.set_color(BLUE), run_time=0.2)
                    values[k], values[k + 1] = values[k + 1], values[k]
                    bars[k], bars[k + 1] = b, a
        self.play(*[bar.animate.set_color(GREEN) for bar in bars])
        self.wait(1)
