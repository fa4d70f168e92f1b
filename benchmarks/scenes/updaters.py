from manim import *


class Updaters(Scene):
    def construct(self):
        t = ValueTracker(0)
        label = always_redraw(lambda: Text(f"t = {t.get_value():.2f}").to_edge(UP))
        dot = always_redraw(lambda: Dot([3 * np.cos(t.get_value()), 2 * np.sin(t.get_value()), 0], color=RED))
        self.add(label, dot, TracedPath(lambda: dot.get_center(), stroke_color=YELLOW))
        self.play(t.animate.set_value(6), run_time=4, rate_func=linear)
        self.wait(0.5)
