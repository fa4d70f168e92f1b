"""Axes, planes, graphs and charts."""

from manim import *


class AxesAndGraphs(Scene):
    def construct(self):
        axes = Axes([-3, 3], [-2, 2], x_length=8, y_length=5, axis_config={"include_numbers": True})
        sine = axes.plot(np.sin, color=BLUE)
        label = axes.get_graph_label(sine, "sin(x)", x_val=2, direction=UP)
        self.play(Create(axes), run_time=0.6)
        self.play(Create(sine), FadeIn(label), run_time=0.6)


class Areas(Scene):
    def construct(self):
        axes = Axes([0, 5], [0, 6], x_length=8, y_length=5)
        graph = axes.plot(lambda x: 0.25 * x**2 + 0.5, color=GREEN)
        line = axes.plot(lambda x: x, color=RED)
        area = axes.get_area(graph, x_range=[1, 4], bounded_graph=line, color=[BLUE, YELLOW], opacity=0.6)
        self.add(axes, graph, line)
        self.play(FadeIn(area), run_time=0.5)
        self.play(area.animate.set_opacity(0.2), run_time=0.3)


class Riemann(Scene):
    def construct(self):
        axes = Axes([0, 5], [0, 4], x_length=8, y_length=5)
        graph = axes.plot(lambda x: 2 + np.sin(x), x_range=[0.2, 4.8])
        rough = axes.get_riemann_rectangles(graph, x_range=[0.5, 4.5], dx=0.5)
        fine = axes.get_riemann_rectangles(graph, x_range=[0.5, 4.5], dx=0.2, color=[TEAL, PURPLE])
        self.add(axes, graph)
        self.play(Create(rough), run_time=0.6)
        self.play(ReplacementTransform(rough, fine), run_time=0.6)


class Planes(Scene):
    def construct(self):
        plane = NumberPlane(background_line_style={"stroke_opacity": 0.4})
        dot = Dot(plane.c2p(2, 1), color=RED)
        lines = plane.get_lines_to_point(plane.c2p(2, 1))
        self.play(Create(plane, lag_ratio=0.05), run_time=0.7)
        self.play(FadeIn(dot), Create(lines), run_time=0.4)


class PolarCoordinates(Scene):
    def construct(self):
        plane = PolarPlane(radius_max=3, size=6, azimuth_units="degrees")
        rose = plane.plot_polar_graph(lambda t: 3 * np.sin(3 * t), [0, PI], color=ORANGE)
        self.play(FadeIn(plane), run_time=0.3)
        self.play(Create(rose), run_time=0.8)


class ComplexNumbers(Scene):
    def construct(self):
        plane = ComplexPlane().add_coordinates()
        dots = VGroup(*[Dot(plane.n2p(np.exp(1j * TAU * k / 5) * 2), color=YELLOW) for k in range(5)])
        self.add(plane)
        self.play(LaggedStart(*[GrowFromCenter(d) for d in dots], lag_ratio=0.2), run_time=0.7)


class Bars(Scene):
    def construct(self):
        chart = BarChart([3, 5, -2, 4], bar_names=["a", "b", "c", "d"], y_range=[-3, 6, 3], x_length=7, y_length=4.5)
        self.play(FadeIn(chart), run_time=0.4)
        self.play(chart.animate.change_bar_values([5, 2, 3, 1]), run_time=0.5)
        self.play(Write(chart.get_bar_labels(font_size=28)), run_time=0.5)


class Samples(Scene):
    def construct(self):
        space = SampleSpace(width=5, height=3)
        space.divide_horizontally([0.3, 0.7])
        space[0].divide_vertically([0.6, 0.4], colors=[RED, BLUE])
        self.play(FadeIn(space), run_time=0.4)
        self.wait(0.1)


class ImplicitAndParametric(Scene):
    def construct(self):
        curve = ImplicitFunction(lambda x, y: x * x * y - y**3 + x * x * x - x, x_range=[-3, 3], y_range=[-3, 3], color=RED)
        knot = ParametricFunction(lambda t: [2 * np.sin(2 * t), 1.5 * np.sin(3 * t), 0], t_range=[0, TAU], color=BLUE)
        self.play(Create(curve), run_time=0.6)
        self.play(Create(knot), run_time=0.6)


class LogScales(Scene):
    def construct(self):
        axes = Axes([0, 8, 2], [-1, 3], x_length=8, y_length=5, y_axis_config={"scaling": LogBase(custom_labels=True)})
        graph = axes.plot(lambda x: 2**x, x_range=[0.1, 7], color=YELLOW)
        self.add(axes)
        self.play(Create(graph), run_time=0.6)


class MovingPoint(Scene):
    def construct(self):
        axes = Axes([-3, 3], [-1, 5], x_length=7, y_length=5)
        graph = axes.plot(lambda x: x * x / 2, color=GREEN)
        t = ValueTracker(-2.5)
        dot = always_redraw(lambda: Dot(axes.i2gp(t.get_value(), graph), color=RED))
        tangent = always_redraw(
            lambda: TangentLine(graph, alpha=(t.get_value() + 3) / 6, length=3, color=YELLOW)
        )
        self.add(axes, graph, dot, tangent)
        self.play(t.animate.set_value(2.5), run_time=1)


class LineGraphs(Scene):
    def construct(self):
        axes = Axes([0, 6], [0, 6], x_length=7, y_length=5, tips=False)
        graph = axes.plot_line_graph([0, 1, 2, 4, 5], [1, 3, 2, 5, 4], line_color=GOLD, add_vertex_dots=True)
        steps = axes.get_vertical_lines_to_graph(axes.plot(lambda x: 3 + np.cos(x)), x_range=[1, 5], num_lines=8)
        self.play(Create(axes), run_time=0.4)
        self.play(Create(graph), Create(steps), run_time=0.7)
