from manim import *


class TablesAndCode(Scene):
    def construct(self):
        listing = Code(
            code_string="def fib(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a",
            language="python",
        ).scale(0.8).to_edge(LEFT)
        self.play(Write(listing), run_time=2)
        table = Table(
            [["0", "0"], ["1", "1"], ["2", "1"], ["3", "2"], ["4", "3"]],
            col_labels=[Text("n"), Text("fib")],
            include_outer_lines=True,
        ).scale(0.5).to_edge(RIGHT)
        self.play(table.create(), run_time=3)
        for row in range(2, 7):
            highlight = SurroundingRectangle(table.get_rows()[row - 1], color=YELLOW)
            self.play(Create(highlight), run_time=0.4)
            self.play(FadeOut(highlight), run_time=0.3)
        self.play(FadeOut(listing, shift=LEFT), FadeOut(table, shift=RIGHT))
        self.wait(0.5)
