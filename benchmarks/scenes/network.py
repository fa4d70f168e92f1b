from manim import *


class ShortestPath(Scene):
    def construct(self):
        vertices = list(range(12))
        edges = [(a, b) for a in vertices for b in vertices if a < b and (a * 7 + b * 3) % 5 == 0]
        graph = Graph(vertices, edges, layout="circular", layout_scale=3, labels=False)
        self.play(Create(graph), run_time=2)
        self.wait(0.5)
        visited = [0]
        for vertex in (5, 10, 3, 8, 1):
            self.play(
                graph.vertices[visited[-1]].animate.set_color(GREEN),
                Flash(graph.vertices[vertex]),
                run_time=0.6,
            )
            visited.append(vertex)
        self.play(*[graph.edges[edge].animate.set_stroke(YELLOW, 6) for edge in edges[:4]])
        self.play(graph.animate.change_layout("spring", layout_scale=2.5), run_time=1.5)
        self.wait(1)
