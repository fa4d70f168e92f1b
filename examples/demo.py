"""The scene that `./dev demo` renders: a circle that turns draws a sine, and three of them nearly a square wave."""

from manim import *

INK = "#0b132b"
BLUE_GREEN = "#5bc0be"
AMBER = "#ffb703"
ROSE = "#ff6b9d"


class Demo(Scene):
    def construct(self):
        self.camera.background_color = INK
        title = Text("Every wave is a sum of circles", font="DejaVu Sans", font_size=40).to_edge(UP, buff=0.6)
        self.play(Write(title), run_time=1.2)

        turn = ValueTracker(0)
        center = LEFT * 4.2 + DOWN * 0.5
        start = LEFT * 1.3 + DOWN * 0.5
        harmonics = [(1, 1.7, BLUE_GREEN), (3, 1.7 / 3, AMBER), (5, 1.7 / 5, ROSE)]

        def tip(count, angle):
            """The end of the first `count` arms when the first one has turned by `angle`."""
            x = sum(radius * np.cos(order * angle) for order, radius, _ in harmonics[:count])
            y = sum(radius * np.sin(order * angle) for order, radius, _ in harmonics[:count])
            return center + x * RIGHT + y * UP

        def arms():
            group = VGroup()
            for index, (_, radius, color) in enumerate(harmonics):
                joint = tip(index, turn.get_value())
                end = tip(index + 1, turn.get_value())
                group.add(Circle(radius, color=color, stroke_width=2, stroke_opacity=0.6).move_to(joint))
                group.add(Line(joint, end, color=color, stroke_width=5), Dot(end, radius=0.05, color=color))
            return group

        def wave():
            angle = turn.get_value()
            end = tip(len(harmonics), angle)
            curve = ParametricFunction(
                lambda t: np.array([start[0] + t * 0.57, tip(len(harmonics), angle - t)[1], 0]),
                t_range=(0, max(angle, 0.01), 0.05),
                color=WHITE,
                stroke_width=4,
            )
            bridge = DashedLine(end, [start[0], end[1], 0], color=GRAY, stroke_width=2)
            return VGroup(bridge, curve, Dot([start[0], end[1], 0], radius=0.06))

        axis = NumberLine((0, 14, 2), length=7.98, color=GRAY).move_to(start, aligned_edge=LEFT)
        circles = always_redraw(arms)
        self.play(Create(axis), FadeIn(circles), run_time=0.8)
        trace = always_redraw(wave)
        self.add(trace)
        self.play(turn.animate.set_value(TAU * 2), run_time=4.5, rate_func=linear)

        self.play(FadeOut(circles, trace, axis), title.animate.move_to(UP * 0.4).scale(1.1), run_time=0.8)
        signature = Text("rendered by manimcast", font="DejaVu Sans", font_size=26, color=BLUE_GREEN).next_to(title, DOWN, buff=0.4)
        self.play(FadeIn(signature, shift=UP * 0.2), run_time=0.6)
        self.wait(0.6)
