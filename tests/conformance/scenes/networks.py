"""Graphs of vertices and edges."""

from manim import *


class Network(Scene):
    def construct(self):
        graph = Graph([1, 2, 3, 4, 5], [(1, 2), (2, 3), (3, 4), (4, 5), (5, 1), (1, 3)], layout="circular", labels=True)
        self.play(Create(graph), run_time=0.8)
        self.play(graph[1].animate.move_to(3 * LEFT), run_time=0.5)


class LayoutChange(Scene):
    def construct(self):
        graph = Graph(list(range(6)), [(a, b) for a in range(6) for b in range(a)], layout="spring", layout_config={"seed": 3})
        self.add(graph)
        self.play(graph.animate.change_layout("circular"), run_time=0.6)
        self.play(graph.animate.remove_vertices(5), run_time=0.4)


class Directed(Scene):
    def construct(self):
        graph = DiGraph(
            ["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a")], layout="circular", labels=True,
            edge_config={("a", "b"): {"stroke_color": RED}},
        )
        self.play(Create(graph), run_time=0.6)
        self.play(graph.animate.add_vertices("d", positions={"d": 3 * RIGHT}), run_time=0.4)
        self.play(graph["d"].animate.set_color(BLUE), run_time=0.2)


class Tree(Scene):
    def construct(self):
        graph = Graph(
            list(range(7)), [((k - 1) // 2, k) for k in range(1, 7)], layout="tree", root_vertex=0,
            vertex_config={0: {"fill_color": RED}},
        )
        self.play(LaggedStart(*[GrowFromCenter(v) for v in graph.vertices.values()], lag_ratio=0.1), run_time=0.6)
        self.play(*[Create(e) for e in graph.edges.values()], run_time=0.4)
