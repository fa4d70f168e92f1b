from manim import *


class UnitCircle(Scene):
    def construct(self):
        angle = ValueTracker(0.3)
        circle = Circle(2, color=WHITE).shift(3 * LEFT)
        axes = Axes([0, 7], [-1.2, 1.2], x_length=6, y_length=4.8).shift(3 * RIGHT)
        center = circle.get_center()

        def tip():
            return center + 2 * np.array([np.cos(angle.get_value()), np.sin(angle.get_value()), 0])

        radius = always_redraw(lambda: Line(center, tip(), color=YELLOW))
        dot = always_redraw(lambda: Dot(tip(), color=RED))
        curve = always_redraw(lambda: axes.plot(np.sin, x_range=[0, max(0.01, angle.get_value())], color=BLUE))
        bridge = always_redraw(
            lambda: DashedLine(tip(), axes.c2p(angle.get_value(), np.sin(angle.get_value())), color=GREY)
        )
        self.play(Create(circle), Create(axes))
        self.play(Create(radius), FadeIn(dot))
        self.add(curve, bridge)
        self.play(angle.animate.set_value(TAU), run_time=5, rate_func=linear)
        self.wait(1)
