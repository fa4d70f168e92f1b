from manim import *


class Currents(Scene):
    def construct(self):
        def flow(p):
            return np.sin(p[1] / 2) * RIGHT + np.cos(p[0] / 2) * UP

        field = ArrowVectorField(flow, x_range=[-6, 6, 1], y_range=[-3, 3, 1])
        self.play(Create(field), run_time=2)
        dots = VGroup(*[Dot([x, y, 0], color=YELLOW) for x in range(-4, 5, 2) for y in (-2, 0, 2)])
        self.play(FadeIn(dots))
        dots.add_updater(lambda m, dt: [d.shift(flow(d.get_center()) * dt) for d in m])
        self.wait(4)
        dots.clear_updaters()
        self.play(FadeOut(dots), field.animate.set_opacity(0.3))
        self.wait(0.5)
