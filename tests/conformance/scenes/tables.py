"""Matrices, tables and numbers."""

from manim import *


class Matrices(Scene):
    def construct(self):
        left = Matrix([[1, 2], [3, 4]]).shift(3 * LEFT)
        right = DecimalMatrix([[1.5, 2.25], [0, -1]], element_to_mobject_config={"num_decimal_places": 2}).shift(3 * RIGHT)
        self.play(Write(left), FadeIn(right), run_time=0.7)
        self.play(left.get_rows()[0].animate.set_color(RED), Indicate(right.get_columns()[1]), run_time=0.5)


class PlainTable(Scene):
    def construct(self):
        table = Table([["a", "b"], ["c", "d"]], row_labels=[Text("1"), Text("2")], col_labels=[Text("x"), Text("y")])
        table.add_highlighted_cell((2, 2), color=GREEN)
        self.play(Create(table), run_time=1)
        self.play(table.get_rows()[1].animate.set_color(YELLOW), run_time=0.3)


class NumberTables(Scene):
    def construct(self):
        integers = IntegerTable([[1, 2], [3, 4]], include_outer_lines=True).scale(0.7).shift(3 * LEFT)
        shapes = MobjectTable([[Square(0.5), Circle(0.3)], [Triangle().scale(0.3), Dot()]]).shift(3 * RIGHT)
        self.play(FadeIn(integers), FadeIn(shapes), run_time=0.5)


class Counting(Scene):
    def construct(self):
        number = DecimalNumber(0, num_decimal_places=2, include_sign=True, font_size=90)
        count = Integer(7, font_size=60).shift(2 * DOWN)
        self.add(number, count)
        self.play(ChangeDecimalToValue(number, 12.5), run_time=0.7)
        self.play(ChangingDecimal(count, lambda a: 7 + 1000 * a), run_time=0.6)


class Variables(Scene):
    def construct(self):
        variable = Variable(0.5, "x", num_decimal_places=3)
        self.add(variable)
        self.play(variable.tracker.animate.set_value(4), run_time=0.7)
        line = NumberLine([0, 10, 2], length=8, include_numbers=True).shift(2 * DOWN)
        self.play(Create(line), run_time=0.5)
